//! Whether values are among the choices of their options.

use serde_json::{Map, Value};

use super::{OptionSpec, Type, convert::convert, python};

/// Checks every option that has choices and puts a choice in the place of a bool that means it. What fits
/// none is a message.
pub(crate) fn check_choices(options: &[OptionSpec], params: &mut Map<String, Value>) -> Result<(), String> {
    for option in options.iter().filter(|option| !option.choices.is_empty()) {
        let choices: Vec<Value> = option.choices.iter().copied().map(Value::from).collect();
        let chosen = |value: &Value| choices.iter().any(|choice| python::equal(value, choice));
        let listed = |values: &[Value]| values.iter().map(python::str).collect::<Vec<_>>().join(", ");
        match params.get_mut(option.name) {
            None => {}
            Some(Value::Array(items)) => {
                let others: Vec<_> = items.iter().filter(|item| !chosen(item)).cloned().collect();
                if !others.is_empty() {
                    return Err(format!(
                        "value of {} must be one or more of: {}. Got no match for: {}",
                        option.name,
                        listed(&choices),
                        listed(&others)
                    ));
                }
            }
            Some(value) => {
                if let (false, Some(choice)) = (chosen(value), boolean_choice(value, &choices)) {
                    *value = choice.clone();
                }
                if !chosen(value) {
                    return Err(format!(
                        "value of {} must be one of: {}, got: {}",
                        option.name,
                        listed(&choices),
                        python::str(value)
                    ));
                }
            }
        }
    }
    Ok(())
}

/// The choice that a user meant by `yes` or `off`, which YAML turned into a bool and the conversion to text
/// into `True` or `False`: the only one that reads the same.
fn boolean_choice<'a>(value: &Value, choices: &'a [Value]) -> Option<&'a Value> {
    let meant = match value.as_str()? {
        "True" => true,
        "False" => false,
        _ => return None,
    };
    let is_lower = |text: &str| !text.contains(|c: char| c.is_uppercase() || c.is_whitespace());
    let mut alike = choices.iter().filter(|choice| {
        choice.as_str().is_some_and(is_lower) && convert(Type::Bool, choice) == Ok(Value::Bool(meant))
    });
    alike.next().filter(|_| alike.next().is_none())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::Literal;
    use serde_json::json;

    fn check(choices: &'static [Literal], value: &Value) -> Result<Value, String> {
        let option = OptionSpec { choices, ..OptionSpec::new("p", Type::Str) };
        let mut params = Map::from_iter([("p".to_owned(), value.clone())]);
        check_choices(&[option], &mut params).map(|()| params["p"].clone())
    }

    #[test]
    fn a_value_must_be_a_choice_and_so_must_every_element() {
        let sizes = &[Literal::Int(1), Literal::Int(20)];
        assert_eq!(check(sizes, &json!(20.0)), Ok(json!(20.0)));
        assert_eq!(check(sizes, &json!(3)).unwrap_err(), "value of p must be one of: 1, 20, got: 3");
        assert_eq!(check(sizes, &json!(null)).unwrap_err(), "value of p must be one of: 1, 20, got: None");
        assert_eq!(check(sizes, &json!([])), Ok(json!([])));
        let message = "value of p must be one or more of: 1, 20. Got no match for: 3, x";
        assert_eq!(check(sizes, &json!([3, 1, "x"])).unwrap_err(), message);
    }

    #[test]
    fn a_bool_means_the_only_choice_that_reads_like_it() {
        let switch = &[Literal::Str("on"), Literal::Str("off"), Literal::Str("auto")];
        assert_eq!(check(switch, &json!("True")), Ok(json!("on")));
        assert_eq!(check(switch, &json!("False")), Ok(json!("off")));
        assert!(check(switch, &json!("true")).is_err());
        let unclear = &[Literal::Str("yes"), Literal::Str("on"), Literal::Str("True")];
        assert_eq!(check(unclear, &json!("True")), Ok(json!("True")));
        assert!(check(&[Literal::Str("yes"), Literal::Str("y")], &json!("True")).is_err());
        assert!(check(&[Literal::Str("NO")], &json!("False")).is_err());
    }
}
