//! A line for `ovs_extra`: commands of ovs-vsctl that ifupdown2 appends to its own transaction, through a shell, as root.
//!
//! ifupdown2 drops the whole transaction without a word where ovs-vsctl refuses a piece of it (see docs/errors.md), so a
//! line has to be right as far as that can be told without the database: commands, tables, number of arguments, values.

use ansible_module::fault::Fault;

/// Commands that set something on one object, with their least and most arguments. Every other one concerns the node
/// (`init`, `emer-reset`, `set-manager`, `set-ssl`), makes or removes what has a stanza of its own (`add-port`, `del-br`),
/// makes rows that only an option (`--id=@name`) puts to use (`create`), or sets nothing (`get`, `list`, `wait-until`).
const COMMANDS: [(&str, usize, usize); 7] = [
    ("set", 3, usize::MAX),
    ("add", 4, usize::MAX),
    ("remove", 4, usize::MAX),
    ("clear", 3, usize::MAX),
    ("br-set-external-id", 2, 3),
    ("set-controller", 2, usize::MAX),
    ("set-fail-mode", 2, 2),
];

/// Columns that an option decides. ovs-vsctl takes the beginning of a column's name for the whole.
const OWNED: [(&str, &str); 5] = [
    ("datapath_type", "datapath_type"),
    ("stp_enable", "stp"),
    ("rstp_enable", "rstp"),
    ("mcast_snooping_enable", "mcast_snooping"),
    ("mtu_request", "mtu"),
];

/// A line of `ovs_extra` in the stanza of `owner`, trimmed and with single spaces.
///
/// Its commands are about `owner` alone: whatever else they named need not exist yet when ifupdown2 runs them.
pub fn ovs_extra(option: &str, owner: &str, text: &str) -> Result<String, Fault> {
    check(owner, text).map_err(|(fact, hint)| {
        Fault::new(
            "invalid_ovs_extra",
            format!("option `{option}`: `{}` can't be used: {fact}; hint: {hint}", text.escape_debug()),
        )
    })
}

/// What is wrong, and what helps.
type Refusal = (String, String);

fn refusal<T>(fact: impl Into<String>, hint: impl Into<String>) -> Result<T, Refusal> {
    Err((fact.into(), hint.into()))
}

fn check(owner: &str, text: &str) -> Result<String, Refusal> {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || " _.:,=/@+-".contains(c);
    if let Some(other) = text.chars().find(|c| !is_plain(*c)) {
        return refusal(
            format!("`{}` is not a character for a line that a shell runs as root", other.escape_debug()),
            "letters, digits, spaces and `_ . : , = / @ + -`",
        );
    }
    let words: Vec<&str> = text.split(' ').filter(|word| !word.is_empty()).collect();
    for words in words.split(|word| *word == "--") {
        command(owner, words)?;
    }
    Ok(words.join(" "))
}

fn command(owner: &str, words: &[&str]) -> Result<(), Refusal> {
    let [name, arguments @ ..] = words else {
        return refusal(
            "a command is missing",
            format!("such as `set bridge {owner} other_config:mac-aging-time=600`"),
        );
    };
    if let Some(word) = words.iter().find(|word| word.starts_with('-')) {
        return refusal(
            format!("`{word}` is an option of ovs-vsctl, which could lead it elsewhere"),
            "commands without options, ` -- ` between them",
        );
    }
    let Some((_, least, most)) = COMMANDS.iter().find(|(known, ..)| known == name) else {
        let known: Vec<&str> = COMMANDS.iter().map(|(known, ..)| *known).collect();
        return refusal(
            format!("`{name}` is not a command that sets something on `{owner}`"),
            format!("one of {}", known.join(", ")),
        );
    };
    if !(*least..=*most).contains(&arguments.len()) {
        return refusal(
            format!("ovs-vsctl takes no `{name}` with {} arguments", arguments.len()),
            "see ovs-vsctl(8)",
        );
    }
    let (target, columns) = match arguments {
        [table, target, columns @ ..] if matches!(*name, "set" | "add" | "remove" | "clear") => {
            if !["bridge", "port", "interface"].contains(&table.to_ascii_lowercase().as_str()) {
                return refusal(
                    format!("`{table}` is not a table of `{owner}`"),
                    "bridge, port or interface",
                );
            }
            (*target, columns)
        }
        [target, ..] => (*target, [].as_slice()),
        [] => return Ok(()),
    };
    if target != owner {
        return refusal(
            format!("it is about `{target}`, which need not exist yet when ifupdown2 sets up `{owner}`"),
            format!("name `{owner}`, or put it into the stanza of `{target}`"),
        );
    }
    match (*name, columns) {
        ("set", settings) => settings.iter().try_for_each(|setting| {
            let Some((path, value)) = setting.split_once('=').filter(|(_, value)| !value.is_empty()) else {
                return refusal(format!("`{setting}` is not a setting"), "COLUMN=VALUE or COLUMN:KEY=VALUE");
            };
            match path.split_once(':') {
                Some((column, key)) if !key.is_empty() => is_free(column),
                Some(_) => refusal(format!("`{setting}` has no key"), "COLUMN:KEY=VALUE"),
                None => is_free(path).and_then(|()| has_no_colon(path, value)),
            }
        }),
        ("clear", columns) => columns.iter().try_for_each(|column| is_free(column)),
        (_, [column, values @ ..]) => {
            is_free(column)?;
            values.iter().try_for_each(|value| has_no_colon(column, value))
        }
        _ => Ok(()),
    }
}

fn is_free(column: &str) -> Result<(), Refusal> {
    let is_name = |c: char| c.is_ascii_alphanumeric() || c == '_' || c == '-';
    if column.is_empty() || !column.chars().all(is_name) {
        return refusal(format!("`{column}` is not a column"), "see ovs-vswitchd.conf.db(5)");
    }
    let normal = column.to_ascii_lowercase().replace('-', "_");
    match OWNED.iter().find(|(owned, _)| owned.starts_with(&normal)) {
        None => Ok(()),
        Some((owned, option)) => refusal(
            format!("`{column}` is the column `{owned}`, which an option decides"),
            format!("use the option `{option}`"),
        ),
    }
}

/// ovs-vsctl ends an unquoted value at a colon, and quotes do not come through the shell; only what follows
/// `COLUMN:KEY=` is taken as it is.
fn has_no_colon(column: &str, value: &str) -> Result<(), Refusal> {
    if !value.contains(':') {
        return Ok(());
    }
    refusal(
        format!("ovs-vsctl does not take the colon in `{value}` for `{column}`"),
        format!(
            "`set` with `{column}:KEY=VALUE` where the column is a map; the MAC address of an interface is `hwaddress` in its stanza"
        ),
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn commands_that_set_something_on_the_stanza_s_object_are_taken() {
        for text in [
            "set bridge vmbr0 other_config:hwaddr=3c:fd:fe:00:00:01",
            "set Bridge vmbr0 fail-mode=secure protocols=OpenFlow10,OpenFlow13",
            "set interface vmbr0 options:remote_ip=fd00::1 external_ids=a=b,c=d",
            "set port vmbr0 trunks=1,2,3 -- set bridge vmbr0 other_config:mac-aging-time=600",
            "add bridge vmbr0 other_config disable-in-band=true",
            "remove bridge vmbr0 external_ids a b",
            "clear bridge vmbr0 netflow sflow",
            "br-set-external-id vmbr0 bridge-id a:b",
            "set-controller vmbr0 tcp:10.0.0.1:6653 ssl:10.0.0.2:6653",
            "set-fail-mode vmbr0 secure",
        ] {
            assert_eq!(ovs_extra("ovs_extra", "vmbr0", text), Ok(text.to_owned()));
        }
        assert_eq!(
            ovs_extra("ovs_extra", "vmbr0", "  set-fail-mode   vmbr0 secure "),
            Ok("set-fail-mode vmbr0 secure".to_owned())
        );
    }

    #[test]
    fn nothing_but_the_stanza_s_object_and_nothing_of_another_option_is_touched() {
        for (text, fact, hint) in [
            ("", "a command is missing", "such as"),
            ("set bridge vmbr0 a=b --", "a command is missing", "such as"),
            ("-- set bridge vmbr0 a=b", "a command is missing", "such as"),
            ("set bridge vmbr0 a=b -- -- set bridge vmbr0 a=b", "a command is missing", "such as"),
            (
                "--db=tcp:10.0.0.1:6640 set bridge vmbr0 a=b",
                "`--db=tcp:10.0.0.1:6640` is an option",
                "without options",
            ),
            ("set bridge vmbr0 a=b -- --if-exists clear bridge vmbr0 a", "`--if-exists` is an", "without"),
            ("set -v vmbr0 a=b", "`-v` is an option", "without options"),
            ("emer-reset", "`emer-reset` is not a command", "one of set, add,"),
            ("del-br vmbr0", "`del-br` is not a command", "one of set, add,"),
            ("init", "`init` is not a command", "one of set, add,"),
            ("set-manager ptcp:6640", "`set-manager` is not a command", "one of set, add,"),
            ("SET bridge vmbr0 a=b", "`SET` is not a command", "one of set, add,"),
            ("set bridge vmbr0", "no `set` with 2 arguments", "ovs-vsctl(8)"),
            ("add bridge vmbr0 other_config", "no `add` with 3 arguments", "ovs-vsctl(8)"),
            ("set-fail-mode vmbr0 secure now", "no `set-fail-mode` with 3", "ovs-vsctl(8)"),
            ("set-controller vmbr0", "no `set-controller` with 1", "ovs-vsctl(8)"),
            ("set open_vswitch . other_config:a=b", "`open_vswitch` is not a table", "bridge, port"),
            ("set br vmbr0 a=b", "`br` is not a table", "bridge, port"),
            ("set bridge vmbr1 a=b", "it is about `vmbr1`", "name `vmbr0`"),
            ("set-fail-mode vmbr1 secure", "it is about `vmbr1`", "name `vmbr0`"),
            ("set bridge vmbr0 a", "`a` is not a setting", "COLUMN=VALUE"),
            ("set bridge vmbr0 a=", "`a=` is not a setting", "COLUMN=VALUE"),
            ("set bridge vmbr0 a:=b", "`a:=b` has no key", "COLUMN:KEY=VALUE"),
            ("set bridge vmbr0 a+=b", "`a+` is not a column", "conf.db(5)"),
            ("set bridge vmbr0 datapath_type=netdev", "column `datapath_type`", "option `datapath_type`"),
            ("set bridge vmbr0 x=y DATAPATH-TYPE=netdev", "column `datapath_type`", "option `datapath_type`"),
            ("set bridge vmbr0 stp_enable=true", "column `stp_enable`", "option `stp`"),
            ("set bridge vmbr0 rstp=true", "column `rstp_enable`", "option `rstp`"),
            (
                "add bridge vmbr0 mcast_snooping_enable true",
                "column `mcast_snooping_enable`",
                "option `mcast_snooping`",
            ),
            ("clear bridge vmbr0 fail_mode stp_enable", "column `stp_enable`", "option `stp`"),
            ("set interface vmbr0 mtu_request=9000", "column `mtu_request`", "option `mtu`"),
            ("set interface vmbr0 mac=3c:fd:fe:00:00:01", "the colon in `3c:fd:fe:00:00:01`", "`hwaddress`"),
            ("set interface vmbr0 external_ids=a=b:c", "the colon in `a=b:c`", "external_ids:KEY=VALUE"),
            ("add bridge vmbr0 other_config hwaddr=3c:fd", "the colon in", "other_config:KEY=VALUE"),
            ("remove bridge vmbr0 other_config hwaddr=3c:fd", "the colon in", "other_config:KEY=VALUE"),
        ] {
            let fault = ovs_extra("ovs_extra", "vmbr0", text).unwrap_err();
            assert_eq!(fault.code, "invalid_ovs_extra", "{text}");
            let (found, remedy) = fault.message.split_once("; hint: ").unwrap();
            assert!(found.starts_with(&format!("option `ovs_extra`: `{text}` can't be used: ")), "{found}");
            assert!(found.contains(fact) && remedy.contains(hint), "{}", fault.message);
        }
    }

    #[test]
    fn no_character_reaches_the_shell_that_means_something_to_it() {
        for c in "\n\r\t\0;|&$`'\"<>(){}[]*?~#!\\%^ü\u{85}\u{a0}".chars() {
            let text = format!("set bridge vmbr0 other_config:a=b{c}");
            let fault = ovs_extra("ovs_extra", "vmbr0", &text).unwrap_err();
            assert!(fault.message.contains("is not a character for a line"), "{}", fault.message);
        }
    }
}
