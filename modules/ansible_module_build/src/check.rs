//! Joins the documentation of each option with what `ARGUMENT_SPEC_EXTRA` says of it, and refuses what makes
//! no sense. What comes out can be written down as it is.

use std::collections::{BTreeMap, BTreeSet};

use indexmap::IndexMap;
use serde_json::Value;

use crate::document::{Choices, Extra, Kind, OneOrMany, OptionDoc, RequiredIf};

/// Words in the names of options that must say whether they are `no_log`.
const SECRET_WORDS: [&str; 5] = ["passphrase", "passwd", "password", "secret", "token"];

/// The options of one level and what must hold between them.
pub struct Level {
    pub options: Vec<CheckedOption>,
    pub mutually_exclusive: Vec<Vec<String>>,
    pub required_together: Vec<Vec<String>>,
    pub required_one_of: Vec<Vec<String>>,
    pub required_if: Vec<CheckedRequiredIf>,
    pub required_by: Vec<(String, Vec<String>)>,
}

pub struct CheckedOption {
    pub name: String,
    pub description: String,
    pub kind: Kind,
    pub elements: Option<Kind>,
    pub required: bool,
    pub no_log: bool,
    pub default: Option<Value>,
    pub choices: Vec<Value>,
    pub aliases: Vec<String>,
    pub inside: Option<Level>,
}

pub struct CheckedRequiredIf {
    pub option: String,
    pub value: Value,
    pub requires: Vec<String>,
    pub any: bool,
}

#[derive(Debug)]
pub struct Problem {
    pub subject: String,
    pub fact: String,
}

type Result<T> = std::result::Result<T, Problem>;

/// Joins and checks a whole document.
pub fn document(options: IndexMap<String, OptionDoc>, extra: Extra) -> Result<Level> {
    if extra.no_log.is_some() {
        return Err(problem("ARGUMENT_SPEC_EXTRA", "`no_log` belongs to an option"));
    }
    level(options, extra, "")
}

/// `prefix` is what stands before the names of the options: nothing, `a.`, `a.b.`
fn level(options: IndexMap<String, OptionDoc>, mut extra: Extra, prefix: &str) -> Result<Level> {
    check_names(&options, prefix)?;
    let mut checked = Vec::new();
    for (name, doc) in options {
        let own = extra.options.remove(&name).unwrap_or_default();
        checked.push(option(name, doc, own, prefix)?);
    }
    if let Some(name) = extra.options.keys().next() {
        return Err(option_problem(
            prefix,
            name,
            "ARGUMENT_SPEC_EXTRA speaks of it, but it is not documented",
        ));
    }
    constraints(checked, extra, prefix)
}

fn option(name: String, doc: OptionDoc, extra: Extra, prefix: &str) -> Result<CheckedOption> {
    let OptionDoc { description, kind, elements, required, default, choices, aliases, suboptions, .. } = doc;
    let fail = |fact: &str| Err(option_problem(prefix, &name, fact));
    let choices = match choices {
        None => Vec::new(),
        Some(Choices::List(choices)) => choices,
        Some(Choices::Described(choices)) => choices.into_keys().map(Value::from).collect(),
    };
    let no_log = extra.no_log.unwrap_or(false);
    let holds_dicts = kind == Kind::Dict || elements == Some(Kind::Dict);
    let Some(description) = first_line(description) else { return fail("it has no description") };

    if elements.is_some() && kind != Kind::List {
        return fail("only a list has `elements`");
    }
    if elements == Some(Kind::List) {
        return fail("lists of lists are not supported");
    }
    if required && default.is_some() {
        return fail("it is required and has a default");
    }
    if !choices.is_empty() && !matches!(elements.unwrap_or(kind), Kind::Str | Kind::Int | Kind::Float) {
        return fail("only text and numbers, or lists of them, have `choices`");
    }
    if let Some(choice) = choices.iter().find(|choice| !fits(elements.unwrap_or(kind), None, choice)) {
        return fail(&format!("the choice `{choice}` is not of its type; quote what YAML would convert"));
    }
    if let Some(choice) = first_duplicate(&choices) {
        return fail(&format!("the choice `{choice}` is there twice"));
    }
    if let Some(default) = &default {
        if !fits(kind, elements, default) {
            return fail(&format!(
                "the default `{default}` is not of its type; quote what YAML would convert"
            ));
        }
        if let Some(odd) = outside_choices(&choices, default) {
            return fail(&format!("the default `{odd}` is not among its choices"));
        }
    }
    if no_log && (default.is_some() || !choices.is_empty()) {
        return fail("a documented default or choice is no secret, but it is `no_log`");
    }
    if no_log && matches!(kind, Kind::Bool | Kind::Int | Kind::Float) {
        return fail("a number or bool cannot be `no_log`: it would be masked wherever its digits appear");
    }
    if extra.no_log.is_none() && SECRET_WORDS.iter().any(|word| name.contains(word)) {
        return fail("its name sounds secret; hint: say `no_log: true` or `false` in ARGUMENT_SPEC_EXTRA");
    }
    let inside = match suboptions {
        Some(_) if !holds_dicts => return fail("only a dict or a list of dicts has `suboptions`"),
        Some(inside) if inside.is_empty() => return fail("its `suboptions` are empty"),
        Some(inside) => Some(level(inside, extra, &format!("{prefix}{name}."))?),
        None if says_more_than_no_log(&extra) => {
            return fail("ARGUMENT_SPEC_EXTRA speaks of its suboptions, but it has none");
        }
        None => None,
    };
    Ok(CheckedOption {
        name,
        description,
        kind,
        elements,
        required,
        no_log,
        default,
        choices,
        aliases,
        inside,
    })
}

fn constraints(options: Vec<CheckedOption>, extra: Extra, prefix: &str) -> Result<Level> {
    let Extra {
        no_log: _,
        mutually_exclusive,
        required_together,
        required_one_of,
        required_if,
        required_by,
        options: _,
    } = extra;
    let by_name: BTreeMap<_, _> = options.iter().map(|option| (option.name.as_str(), option)).collect();
    let find = |rule: &str, name: &str| {
        let missing = || constraint_problem(prefix, rule, &format!("there is no option `{name}`"));
        by_name.get(name).copied().ok_or_else(missing)
    };
    let group = |rule: &str, names: &[String], least: usize| {
        names.iter().try_for_each(|name| find(rule, name).map(drop))?;
        if let Some(name) = first_duplicate(names) {
            return Err(constraint_problem(prefix, rule, &format!("`{name}` is named twice")));
        }
        if names.len() < least {
            return Err(constraint_problem(
                prefix,
                rule,
                &format!("{names:?} names less than {least} options"),
            ));
        }
        Ok(())
    };

    let groups = [
        ("mutually_exclusive", &mutually_exclusive),
        ("required_together", &required_together),
        ("required_one_of", &required_one_of),
    ];
    for (rule, names) in
        groups.iter().flat_map(|(rule, groups)| groups.iter().map(move |names| (rule, names)))
    {
        group(rule, names, 2)?;
    }
    for name in required_one_of.iter().flatten() {
        if find("required_one_of", name)?.is_always_there() {
            let fact = format!("it is always fulfilled, because `{name}` is required or has a default");
            return Err(constraint_problem(prefix, "required_one_of", &fact));
        }
    }

    let mut checked_if = Vec::new();
    for RequiredIf(option, value, requires, any) in required_if {
        let CheckedOption { kind, elements, choices, .. } = find("required_if", &option)?;
        if !fits(*kind, *elements, &value) || outside_choices(choices, &value).is_some() {
            let fact = format!("`{option}` can never be `{value}`");
            return Err(constraint_problem(prefix, "required_if", &fact));
        }
        group("required_if", &requires, 1)?;
        checked_if.push(CheckedRequiredIf { option, value, requires, any });
    }

    let mut checked_by = Vec::new();
    for (option, requires) in required_by {
        let requires = match requires {
            OneOrMany::One(name) => vec![name],
            OneOrMany::Many(names) => names,
        };
        find("required_by", &option)?;
        group("required_by", &requires, 1)?;
        checked_by.push((option, requires));
    }

    Ok(Level {
        mutually_exclusive,
        required_together,
        required_one_of,
        required_if: checked_if,
        required_by: checked_by,
        options,
    })
}

impl CheckedOption {
    fn is_always_there(&self) -> bool {
        self.required || self.default.is_some()
    }
}

/// Names and aliases share one namespace.
fn check_names(options: &IndexMap<String, OptionDoc>, prefix: &str) -> Result<()> {
    let mut taken: BTreeSet<&str> = options.keys().map(String::as_str).collect();
    for (name, doc) in options {
        if !is_name(name) {
            return Err(option_problem(prefix, name, "its name is not of the form `[a-z][a-z0-9_]*`"));
        }
        for alias in &doc.aliases {
            if !is_name(alias) {
                let fact = format!("its alias `{alias}` is not of the form `[a-z][a-z0-9_]*`");
                return Err(option_problem(prefix, name, &fact));
            }
            if !taken.insert(alias) {
                let fact =
                    format!("its alias `{alias}` is another option's name or alias, or is there twice");
                return Err(option_problem(prefix, name, &fact));
            }
        }
    }
    Ok(())
}

fn is_name(name: &str) -> bool {
    name.starts_with(|c: char| c.is_ascii_lowercase())
        && name.chars().all(|c| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_')
}

fn fits(kind: Kind, elements: Option<Kind>, value: &Value) -> bool {
    match kind {
        Kind::Str | Kind::Path => value.is_string(),
        Kind::Raw => !value.is_null(),
        Kind::Bool => value.is_boolean(),
        Kind::Int => value.is_i64(),
        Kind::Float => value.is_i64() || value.is_f64(),
        Kind::Dict => value.is_object(),
        Kind::List => value
            .as_array()
            .is_some_and(|items| items.iter().all(|item| fits(elements.unwrap_or(Kind::Raw), None, item))),
    }
}

/// The value, or the first element of it, that is none of the choices where there are any.
fn outside_choices<'a>(choices: &[Value], value: &'a Value) -> Option<&'a Value> {
    let values = value.as_array().map_or(std::slice::from_ref(value), Vec::as_slice);
    values.iter().find(|value| !choices.is_empty() && !choices.contains(value))
}

fn first_duplicate<T: PartialEq>(items: &[T]) -> Option<&T> {
    items
        .iter()
        .enumerate()
        .find(|(index, item)| items.iter().take(*index).any(|other| other == *item))
        .map(|(_, item)| item)
}

fn first_line(description: OneOrMany) -> Option<String> {
    let line = match description {
        OneOrMany::One(text) => text,
        OneOrMany::Many(lines) => lines.into_iter().next()?,
    };
    Some(line).filter(|line| !line.trim().is_empty())
}

fn says_more_than_no_log(extra: &Extra) -> bool {
    *extra != Extra { no_log: extra.no_log, ..Extra::default() }
}

fn problem(subject: &str, fact: &str) -> Problem {
    Problem { subject: subject.to_owned(), fact: fact.to_owned() }
}

fn option_problem(prefix: &str, name: &str, fact: &str) -> Problem {
    problem(&format!("option `{prefix}{name}`"), fact)
}

fn constraint_problem(prefix: &str, rule: &str, fact: &str) -> Problem {
    match prefix.strip_suffix('.') {
        None => problem(&format!("`{rule}`"), fact),
        Some(option) => problem(&format!("`{rule}` of option `{option}`"), fact),
    }
}
