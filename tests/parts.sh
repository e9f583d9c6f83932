# Runs the parts of a script one after the other, each with its name and its minutes. Who sources it is $script.
# shellcheck shell=bash

cd -- "$(dirname -- "${BASH_SOURCE[0]}")/.." || exit
# What was fetched for this project comes before what the machine happens to have.
export PATH=$PWD/.tools/bin:$PATH

parts=()
left_out=()

# NAME COMMAND…: the first part that fails ends the script. A part is run with `set -e`, so that none of its commands fails unseen.
part() {
	local began=$SECONDS
	printf '\n==> %s\n' "$1"
	current=$1
	"${@:2}"
	parts+=("$(minutes $((SECONDS - began)))  $1")
}

# WHAT REASON: told at the end, and a failure where nobody can look at it.
leave_out() {
	left_out+=("$1: $2")
	printf '    left out: %s: %s\n' "$1" "$2"
}

minutes() { printf '%d:%02d' $(($1 / 60)) $(($1 % 60)); }

summary() {
	local status=$?
	printf '\n'
	((${#parts[@]} == 0)) || printf '%s\n' "${parts[@]}"
	if ((status != 0)); then
		printf '%s: failed at: %s (see above)\n' "$script" "$current"
	elif ((${#left_out[@]} > 0)); then
		printf '%s: what was run passed in %s minutes; left out: %s\n' "$script" "$(minutes "$SECONDS")" \
			"$(printf '%s; ' "${left_out[@]}" | sed 's/; $//')"
		[[ ${CI-} != true ]] || status=1
	else
		printf '%s: all %d parts passed in %s minutes\n' "$script" "${#parts[@]}" "$(minutes "$SECONDS")"
	fi
	exit $((status != 0))
}

trap summary EXIT
