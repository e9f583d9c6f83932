//! Arguments checked against a spec, with the result and the words of Ansible's own `AnsibleModule`.
//!
//! Ansible collects every error and reports the first. Here the first one ends the check, so the order of the
//! steps in `Validator::level` is Ansible's order of errors. Parameters hold canonical names alone, where Ansible
//! leaves aliases and ignored unknown names in them; the other differences are told in
//! [`convert`](mod@super::convert).

use std::collections::{BTreeMap, BTreeSet};

use serde_json::{Map, Value};
use thiserror::Error;

use super::{
    ArgumentSpec, Constraints, OptionSpec, Type,
    choices::check_choices,
    convert::convert,
    no_log,
    place::Place,
    python::{self, type_name},
};
use crate::gather::Gather as _;

/// Arguments that a module can work with.
#[derive(Debug)]
pub struct Validated {
    /// A value for every option, in the order of the spec and of the option's type; null where it was neither
    /// given nor has a default. The same inside dicts with suboptions.
    pub params: Map<String, Value>,
    /// What the user should know, a sentence each.
    pub warnings: Vec<String>,
    /// The texts of secret values, none empty.
    pub secrets: BTreeSet<String>,
}

/// Why the arguments cannot be accepted.
#[derive(Debug, Error)]
#[error("{message}")]
pub struct Invalid {
    /// What Ansible would say. It can hold secrets.
    pub message: String,
    /// Which rule was broken.
    pub kind: InvalidKind,
    /// The texts of secret values, none empty.
    pub secrets: BTreeSet<String>,
}

/// A rule that arguments can break.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum InvalidKind {
    /// There is no such option.
    UnknownOption,
    /// A required option is not given.
    MissingOption,
    /// A value cannot be converted to the option's type.
    WrongType,
    /// A value is not among the option's choices.
    WrongChoice,
    /// Options are given that exclude each other.
    MutuallyExclusive,
    /// Only some of several options are given.
    RequiredTogether,
    /// None of several options is given.
    RequiredOneOf,
    /// What the value of another option requires is not given.
    RequiredIf,
    /// What another option requires is not given.
    RequiredBy,
}

impl InvalidKind {
    /// The stable code of the error.
    pub const fn code(self) -> &'static str {
        match self {
            Self::UnknownOption => "unknown_option",
            Self::MissingOption => "missing_option",
            Self::WrongType => "wrong_type",
            Self::WrongChoice => "wrong_choice",
            Self::MutuallyExclusive => "mutually_exclusive",
            Self::RequiredTogether => "required_together",
            Self::RequiredOneOf => "required_one_of",
            Self::RequiredIf => "required_if",
            Self::RequiredBy => "required_by",
        }
    }
}

impl ArgumentSpec {
    /// Checks and converts `arguments`, which hold none of Ansible's internal `_ansible_*` keys any more.
    ///
    /// `module_name` is the name that Ansible called the module by, and `ignore_unknown` its
    /// `_ansible_ignore_unknown_opts`.
    pub fn validate(
        &self,
        module_name: &str,
        arguments: Map<String, Value>,
        ignore_unknown: bool,
    ) -> Result<Validated, Invalid> {
        let secrets = no_log::secrets(self.options, &arguments);
        let mut validator = Validator { warnings: Vec::new(), unknown: BTreeMap::new() };
        let checked = validator.level(self.options, &self.constraints, &Place::default(), arguments);
        let checked = checked.and_then(|params| match validator.unknown_options(module_name) {
            Some(message) if !ignore_unknown => Err((InvalidKind::UnknownOption, message)),
            _ => Ok(params),
        });
        match checked {
            Ok(params) => Ok(Validated { params, warnings: validator.warnings, secrets }),
            Err((kind, message)) => Err(Invalid { message, kind, secrets }),
        }
    }
}

type Failure = (InvalidKind, String);

struct Validator {
    warnings: Vec<String>,
    /// Names of no option, as `a.b` inside of `a`, each with the options that there are in its place.
    unknown: BTreeMap<String, String>,
}

impl Validator {
    /// Checks what was given at one level, then what is inside of it.
    fn level(
        &mut self,
        options: &[OptionSpec],
        constraints: &Constraints,
        place: &Place,
        mut params: Map<String, Value>,
    ) -> Result<Map<String, Value>, Failure> {
        let fail = |kind| move |message| (kind, place.found_in(message));

        self.resolve_aliases(options, place, &mut params);
        check_inside(options, &params).map_err(|message| (InvalidKind::WrongType, message))?;
        self.note_unknown(options, place, &params);
        constraints.check_mutually_exclusive(&params).map_err(fail(InvalidKind::MutuallyExclusive))?;
        set_defaults(options, &mut params);
        check_required(options, &params).map_err(fail(InvalidKind::MissingOption))?;
        convert_values(options, place, &mut params).map_err(|message| (InvalidKind::WrongType, message))?;
        check_choices(options, &mut params).map_err(fail(InvalidKind::WrongChoice))?;
        constraints.check_required_together(&params).map_err(fail(InvalidKind::RequiredTogether))?;
        constraints.check_required_one_of(&params).map_err(fail(InvalidKind::RequiredOneOf))?;
        constraints.check_required_if(&params).map_err(fail(InvalidKind::RequiredIf))?;
        constraints.check_required_by(&params).map_err(fail(InvalidKind::RequiredBy))?;

        let mut checked = Map::new();
        for option in options {
            let value = params.remove(option.name).unwrap_or_default();
            checked.insert(option.name.to_owned(), self.inside(option, place, value)?);
        }
        Ok(checked)
    }

    /// Checks the dict, or the dicts of the list, that an option has for its value.
    fn inside(&mut self, option: &OptionSpec, place: &Place, value: Value) -> Result<Value, Failure> {
        let Some(inside) = &option.suboptions else { return Ok(value) };
        let mut level = |place: &Place, params| {
            self.level(inside.options, &inside.constraints, place, params).map(Value::Object)
        };
        match value {
            Value::Object(params) => level(&place.inside(option.name, ""), params),
            Value::Array(items) => items
                .into_iter()
                .enumerate()
                .map(|(index, item)| match item {
                    Value::Object(params) => level(&place.inside(option.name, &format!("[{index}]")), params),
                    other => Ok(other),
                })
                .collect(),
            other => Ok(other),
        }
    }

    /// Moves values given under an alias to the canonical name, over one that is there already.
    fn resolve_aliases(&mut self, options: &[OptionSpec], place: &Place, params: &mut Map<String, Value>) {
        for option in options {
            for alias in option.aliases {
                let Some(value) = params.remove(*alias) else { continue };
                if params.insert(option.name.to_owned(), value).is_some() {
                    let prefix = &place.prefix;
                    self.warnings.push(format!(
                        "Both option {prefix}{} and its alias {prefix}{alias} are set.",
                        option.name
                    ));
                }
            }
        }
    }

    fn note_unknown(&mut self, options: &[OptionSpec], place: &Place, params: &Map<String, Value>) {
        for name in params.keys().filter(|name| !options.iter().any(|option| option.name == *name)) {
            let path: Vec<_> = place.names.iter().copied().chain([name.as_str()]).collect();
            self.unknown.entry(path.join(".")).or_insert_with(|| supported(options));
        }
    }

    /// Ansible lists the options of only one level, where names are unknown at several; which one is chance
    /// there, and the last name's here.
    fn unknown_options(&self, module_name: &str) -> Option<String> {
        let supported = self.unknown.values().next_back()?;
        let names = self.unknown.keys().map(String::as_str).collect::<Vec<_>>().join(", ");
        Some(format!(
            "Unsupported parameters for ({module_name}) module: {names}. \
             Supported parameters include: {supported}."
        ))
    }
}

/// All names in order, then all aliases in order: `a, b (alias1, alias2)`.
fn supported(options: &[OptionSpec]) -> String {
    let names: BTreeSet<_> = options.iter().map(|option| option.name).gather();
    let aliases: BTreeSet<_> = options.iter().flat_map(|option| option.aliases).copied().gather();
    let join = |texts: BTreeSet<&str>| texts.into_iter().collect::<Vec<_>>().join(", ");
    if aliases.is_empty() { join(names) } else { format!("{} ({})", join(names), join(aliases)) }
}

/// Whether what stands where suboptions belong can be read as dicts at all. Ansible finds that out while it
/// looks for secrets, which is why the message is unlike that of any other wrong type.
fn check_inside(options: &[OptionSpec], params: &Map<String, Value>) -> Result<(), String> {
    for option in options {
        let Some(inside) = &option.suboptions else { continue };
        let elements = match params.get(option.name) {
            None | Some(Value::Null) => continue,
            Some(Value::Array(items)) => items.as_slice(),
            Some(other) => std::slice::from_ref(other),
        };
        for element in elements {
            match element {
                Value::Object(entries) => check_inside(inside.options, entries)?,
                Value::String(_) => {
                    if let Value::Object(entries) = convert(Type::Dict, element)? {
                        check_inside(inside.options, &entries)?;
                    }
                }
                other => {
                    return Err(format!(
                        "Value '{}' in the sub parameter field '{}' must be a {}, not '{}'",
                        python::str(other),
                        option.name,
                        option.kind.name(),
                        type_name(other)
                    ));
                }
            }
        }
    }
    Ok(())
}

fn set_defaults(options: &[OptionSpec], params: &mut Map<String, Value>) {
    for option in options {
        if let (Some(default), false) = (option.default, params.contains_key(option.name)) {
            params.insert(option.name.to_owned(), default.into());
        }
    }
}

fn check_required(options: &[OptionSpec], params: &Map<String, Value>) -> Result<(), String> {
    let missing: BTreeSet<_> = options
        .iter()
        .filter(|option| option.required && !params.contains_key(option.name))
        .map(|option| option.name)
        .gather();
    if missing.is_empty() {
        return Ok(());
    }
    Err(format!("missing required arguments: {}", missing.into_iter().collect::<Vec<_>>().join(", ")))
}

fn convert_values(
    options: &[OptionSpec],
    place: &Place,
    params: &mut Map<String, Value>,
) -> Result<(), String> {
    for option in options {
        let Some(value) = params.get_mut(option.name) else { continue };
        if value.is_null() && !option.required && option.default.is_none() {
            continue;
        }
        let converted = convert(option.kind, value).map_err(|reason| {
            format!(
                "argument '{}' is of type {}{} and we were unable to convert to {}: {reason}",
                option.name,
                type_name(value),
                place.quoted().map(|names| names + ".").unwrap_or_default(),
                option.kind.name()
            )
        })?;
        *value = match (option.kind, converted) {
            (Type::List(Some(kind)), Value::Array(items)) => {
                convert_elements(option.name, *kind, place, &items)?
            }
            (_, converted) => converted,
        };
    }
    Ok(())
}

fn convert_elements(name: &str, kind: Type, place: &Place, items: &[Value]) -> Result<Value, String> {
    items
        .iter()
        .map(|item| {
            convert(kind, item).map_err(|reason| {
                format!(
                    "Elements value for option '{name}'{} is of type {} and we were unable to convert to {}: {reason}",
                    place.quoted().unwrap_or_default(),
                    type_name(item),
                    kind.name()
                )
            })
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Literal, Suboptions};
    use serde_json::json;

    static SPEC: ArgumentSpec = ArgumentSpec {
        module: "link",
        short_description: "A link",
        options: &[
            OptionSpec { required: true, aliases: &["iface"], ..OptionSpec::new("name", Type::Str) },
            OptionSpec { default: Some(Literal::Int(1500)), ..OptionSpec::new("mtu", Type::Int) },
            OptionSpec {
                choices: &[Literal::Str("slow"), Literal::Str("fast")],
                ..OptionSpec::new("speed", Type::Str)
            },
            OptionSpec {
                suboptions: Some(Suboptions {
                    options: &[
                        OptionSpec {
                            required: true,
                            aliases: &["nic"],
                            ..OptionSpec::new("port", Type::Str)
                        },
                        OptionSpec { no_log: true, ..OptionSpec::new("key", Type::Str) },
                        OptionSpec::new("tags", Type::List(Some(&Type::Int))),
                    ],
                    constraints: Constraints { mutually_exclusive: &[&["key", "tags"]], ..Constraints::NONE },
                }),
                ..OptionSpec::new("ends", Type::List(Some(&Type::Dict)))
            },
        ],
        constraints: Constraints::NONE,
    };

    fn validate(arguments: &Value, ignore_unknown: bool) -> Result<Validated, Invalid> {
        SPEC.validate("a.b.link", arguments.as_object().unwrap().clone(), ignore_unknown)
    }

    #[test]
    fn params_are_whole_and_canonical() {
        let arguments =
            json!({"ends": ["port=a", {"nic": "b", "port": "c", "tags": "1,2", "odd": 1}], "iface": 5});
        let validated = validate(&arguments, true).unwrap();
        let expected = json!({
            "name": "5",
            "mtu": 1500,
            "speed": null,
            "ends": [
                {"port": "a", "key": null, "tags": null},
                {"port": "b", "key": null, "tags": [1, 2]},
            ],
        });
        assert_eq!(Value::Object(validated.params.clone()), expected);
        assert_eq!(validated.params.keys().collect::<Vec<_>>(), ["name", "mtu", "speed", "ends"]);
        assert_eq!(validated.warnings, ["Both option ends[1].port and its alias ends[1].nic are set."]);
    }

    #[test]
    fn the_first_broken_rule_is_told_in_the_words_of_ansible() {
        for (arguments, code, message) in [
            (json!({"odd": 1}), "missing_option", "missing required arguments: name"),
            (
                json!({"name": "x", "odd": 1, "ends": [{"port": "a", "b": 1}]}),
                "unknown_option",
                "Unsupported parameters for (a.b.link) module: ends.b, odd. \
                 Supported parameters include: ends, mtu, name, speed (iface).",
            ),
            (
                json!({"name": "x", "mtu": "big"}),
                "wrong_type",
                "argument 'mtu' is of type str and we were unable to convert to int: \
                 \"'big'\" cannot be converted to an int",
            ),
            (
                json!({"name": "x", "ends": [{"port": "a", "tags": [[]]}]}),
                "wrong_type",
                "Elements value for option 'tags' found in 'ends' is of type list and we were unable to \
                 convert to int: \"[]\" cannot be converted to an int",
            ),
            (
                json!({"name": "x", "ends": [5]}),
                "wrong_type",
                "Value '5' in the sub parameter field 'ends' must be a list, not 'int'",
            ),
            (
                json!({"name": "x", "speed": "odd"}),
                "wrong_choice",
                "value of speed must be one of: slow, fast, got: odd",
            ),
            (
                json!({"name": "x", "ends": [{"port": "a", "key": "k", "tags": []}]}),
                "mutually_exclusive",
                "parameters are mutually exclusive: key|tags found in ends",
            ),
        ] {
            let invalid = validate(&arguments, false).unwrap_err();
            assert_eq!((invalid.kind.code(), invalid.to_string().as_str()), (code, message));
        }
    }

    #[test]
    fn secrets_are_known_even_when_the_arguments_are_not_valid() {
        let invalid = validate(&json!({"ends": [{"key": "k"}]}), false).unwrap_err();
        assert_eq!(invalid.secrets, BTreeSet::from(["k".to_owned()]));
    }
}
