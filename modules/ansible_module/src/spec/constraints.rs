//! What must hold between the options of one level, checked as Ansible's `check_*` functions do.
//!
//! What counts is that an option is given at all: an explicit null is given. Only `required_by` sees it as
//! not given.

use serde_json::{Map, Value};

use super::{Constraints, RequiredIf, python};

impl Constraints {
    /// The groups of which more than one is given, as a message.
    pub(crate) fn check_mutually_exclusive(&self, params: &Map<String, Value>) -> Result<(), String> {
        let given = |group: &&&[&str]| group.iter().filter(|name| params.contains_key(**name)).count() > 1;
        let groups: Vec<_> =
            self.mutually_exclusive.iter().filter(given).map(|group| group.join("|")).collect();
        if groups.is_empty() {
            return Ok(());
        }
        Err(format!("parameters are mutually exclusive: {}", groups.join(", ")))
    }

    /// The first group of which some are given and some are not, as a message.
    pub(crate) fn check_required_together(&self, params: &Map<String, Value>) -> Result<(), String> {
        let torn = |group: &&&[&str]| {
            let given = |name: &&str| params.contains_key(*name);
            group.iter().any(given) && !group.iter().all(given)
        };
        match self.required_together.iter().find(torn) {
            Some(group) => Err(format!("parameters are required together: {}", group.join(", "))),
            None => Ok(()),
        }
    }

    /// The first group of which none is given, as a message.
    pub(crate) fn check_required_one_of(&self, params: &Map<String, Value>) -> Result<(), String> {
        let empty = |group: &&&[&str]| !group.iter().any(|name| params.contains_key(*name));
        match self.required_one_of.iter().find(empty) {
            Some(group) => Err(format!("one of the following is required: {}", group.join(", "))),
            None => Ok(()),
        }
    }

    /// The first value that requires options which are not given, as a message.
    pub(crate) fn check_required_if(&self, params: &Map<String, Value>) -> Result<(), String> {
        for RequiredIf { option, value, requires, any } in self.required_if {
            let value = Value::from(*value);
            if !params.get(*option).is_some_and(|given| python::equal(given, &value)) {
                continue;
            }
            let missing: Vec<_> =
                requires.iter().filter(|name| !params.contains_key(**name)).copied().collect();
            let tolerated = if *any { requires.len().saturating_sub(1) } else { 0 };
            if missing.len() > tolerated {
                return Err(format!(
                    "{option} is {} but {} of the following are missing: {}",
                    python::str(&value),
                    if *any { "any" } else { "all" },
                    missing.join(", ")
                ));
            }
        }
        Ok(())
    }

    /// The first option whose own requirements are not given, as a message.
    pub(crate) fn check_required_by(&self, params: &Map<String, Value>) -> Result<(), String> {
        let absent = |name: &&str| params.get(*name).is_none_or(Value::is_null);
        for (option, requires) in self.required_by {
            let missing: Vec<_> = requires.iter().copied().filter(absent).collect();
            if !absent(option) && !missing.is_empty() {
                return Err(format!("missing parameter(s) required by '{option}': {}", missing.join(", ")));
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Literal;
    use serde_json::json;

    fn check(
        rule: fn(&Constraints, &Map<String, Value>) -> Result<(), String>,
        constraints: &Constraints,
        params: &Value,
    ) -> Option<String> {
        rule(constraints, params.as_object().unwrap()).err()
    }

    #[test]
    fn every_violated_exclusion_is_named() {
        let spec = Constraints { mutually_exclusive: &[&["a", "b"], &["b", "c", "d"]], ..Constraints::NONE };
        let rule = Constraints::check_mutually_exclusive;
        assert_eq!(check(rule, &spec, &json!({"a": 1, "c": 1})), None);
        let message = "parameters are mutually exclusive: a|b, b|c|d";
        assert_eq!(check(rule, &spec, &json!({"a": 1, "b": null, "d": 1})).as_deref(), Some(message));
    }

    #[test]
    fn together_and_one_of_count_an_explicit_null() {
        let spec = Constraints {
            required_together: &[&["a", "b"]],
            required_one_of: &[&["b", "c"]],
            ..Constraints::NONE
        };
        let (together, one_of) = (Constraints::check_required_together, Constraints::check_required_one_of);
        let message = "parameters are required together: a, b";
        assert_eq!(check(together, &spec, &json!({"a": 1})).as_deref(), Some(message));
        assert_eq!(check(together, &spec, &json!({"a": 1, "b": null})), None);
        assert_eq!(check(together, &spec, &json!({})), None);
        let message = "one of the following is required: b, c";
        assert_eq!(check(one_of, &spec, &json!({"a": 1})).as_deref(), Some(message));
        assert_eq!(check(one_of, &spec, &json!({"c": null})), None);
    }

    #[test]
    fn a_value_can_require_all_or_any() {
        const SPEC: Constraints = Constraints {
            required_if: &[
                RequiredIf { option: "on", value: Literal::Bool(true), requires: &["a", "b"], any: false },
                RequiredIf { option: "n", value: Literal::Int(5), requires: &["a", "b"], any: true },
            ],
            ..Constraints::NONE
        };
        for (params, message) in [
            (json!({"on": true, "a": 1}), Some("on is True but all of the following are missing: b")),
            (json!({"on": false}), None),
            (json!({"on": true, "a": null, "b": 1}), None),
            (json!({"n": 5}), Some("n is 5 but any of the following are missing: a, b")),
            (json!({"n": 5.0, "a": 1}), None),
            (json!({}), None),
        ] {
            assert_eq!(check(Constraints::check_required_if, &SPEC, &params).as_deref(), message, "{params}");
        }
    }

    #[test]
    fn what_an_option_requires_must_not_be_null() {
        let spec = Constraints { required_by: &[("a", &["b", "c"])], ..Constraints::NONE };
        let rule = Constraints::check_required_by;
        let message = "missing parameter(s) required by 'a': b, c";
        assert_eq!(check(rule, &spec, &json!({"a": 1, "b": null})).as_deref(), Some(message));
        assert_eq!(check(rule, &spec, &json!({"a": null})), None);
        assert_eq!(check(rule, &spec, &json!({"a": 1, "b": 1, "c": 1})), None);
    }
}
