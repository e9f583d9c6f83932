"""What ansible-core makes of arguments: the other side of the comparison in tests/differential.rs.

Standard input: a case a line, {"document": PATH, "arguments": {...}, "ignore_unknown": BOOL}.
Standard output: an answer a line, {"message": TEXT or null, "params": {...}, "warnings": [...], "secrets": [...]},
or {"crash": TEXT} where ansible-core itself comes to grief, or to a value that JSON does not have.
"""

import functools
import json
import sys

import yaml
from ansible.module_utils.common import warnings
from ansible.module_utils.common.arg_spec import ModuleArgumentSpecValidator
from ansible.module_utils.errors import UnsupportedError

DOCUMENTED = ("aliases", "default", "elements", "required", "type")
CONSTRAINTS = ("mutually_exclusive", "required_by", "required_if", "required_one_of", "required_together")


def constraints(extra):
    return {rule: extra[rule] for rule in CONSTRAINTS if rule in extra}


def argument_spec(options, extra):
    """The documented options, and what the document says besides, as the argument spec of a Python module."""
    spec = {}
    for name, option in options.items():
        own = extra.get(name, {})
        spec[name] = {key: option[key] for key in DOCUMENTED if key in option}
        spec[name] |= {"no_log": own.get("no_log", False)} | constraints(own)
        if "choices" in option:
            spec[name]["choices"] = list(option["choices"])
        if "suboptions" in option:
            spec[name]["options"] = argument_spec(option["suboptions"], own.get("options", {}))
    return spec


@functools.cache
def validator(document):
    with open(document, encoding="utf-8") as file:
        content = yaml.safe_load(file)
    extra = content.get("ARGUMENT_SPEC_EXTRA", {})
    options = content["DOCUMENTATION"].get("options", {})
    return ModuleArgumentSpecValidator(argument_spec(options, extra.get("options", {})), **constraints(extra))


def canonical(spec, params):
    """Parameters without aliases and unknown names, and numbers as numbers where ansible-core lets a bool pass."""
    return {name: canonical_value(option, params.get(name)) for name, option in spec.items()}


def canonical_value(option, value):
    if isinstance(value, list) and "elements" in option:
        element = option | {"type": option["elements"]}
        del element["elements"]
        return [canonical_value(element, item) for item in value]
    if isinstance(value, dict) and "options" in option:
        return canonical(option["options"], value)
    return int(value) if option.get("type") == "int" and isinstance(value, bool) else value


def answer(case):
    warnings._global_warnings.clear()
    checker = validator(case["document"])
    result = checker.validate(case["arguments"])
    json.dumps(result.validated_parameters, allow_nan=False)  # Infinity is no number to us, whatever else is wrong.
    message = None
    if result.errors.errors:
        first = result.errors[0]
        message = first.msg
        if isinstance(first, UnsupportedError):
            message = f"Unsupported parameters for (the.module.name) module: {message}"
            message = None if case["ignore_unknown"] else message
    return {
        "message": message,
        "params": canonical(checker.argument_spec, result.validated_parameters) if message is None else None,
        "warnings": list(warnings.get_warning_messages()),
        "secrets": sorted(map(str, result._no_log_values)),
    }


for line in sys.stdin.readlines():
    try:
        print(json.dumps(answer(json.loads(line))))
    except Exception as error:  # Any that a case brings about is an answer.
        print(json.dumps({"crash": repr(error)}))
