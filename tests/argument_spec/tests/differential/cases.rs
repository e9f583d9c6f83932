//! The cases: hand-written ones, every odd value for every option, and random sets.

use ansible_module::spec::{ArgumentSpec, Constraints, OptionSpec, Type};
use proptest::{
    prelude::*,
    strategy::{Strategy, Union, ValueTree},
    test_runner::TestRunner,
};
use serde_json::{Map, Value, json};

use crate::SPECS;

/// A line each: the name of the document and the arguments; empty lines and comments (`#`) are skipped.
const HAND_WRITTEN: &str = include_str!("../../cases.jsonl");

/// Good for some options and bad for others, a value a line.
const ODD_VALUES: &str = include_str!("../../odd_values.jsonl");

const RANDOM_CASES: usize = 1500;

/// Arguments for a spec, and whether what it does not know is to be ignored.
#[derive(Debug)]
pub struct Case {
    pub spec: &'static ArgumentSpec,
    pub arguments: Map<String, Value>,
    pub ignore_unknown: bool,
}

pub fn all() -> Vec<Case> {
    hand_written().into_iter().chain(odd_values()).chain(random()).collect()
}

fn hand_written() -> Vec<Case> {
    HAND_WRITTEN
        .lines()
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
        .map(|line| {
            let (module, arguments) = line.split_once(' ').unwrap();
            let spec = SPECS.into_iter().find(|spec| spec.module == module).unwrap();
            let arguments = serde_json::from_str(arguments).unwrap_or_else(|error| panic!("{line}: {error}"));
            Case { spec, arguments, ignore_unknown: false }
        })
        .collect()
}

/// Each odd value for each option of each level, everything else being in order.
fn odd_values() -> Vec<Case> {
    let cases = |spec: &'static ArgumentSpec| {
        deviations(spec.options, &spec.constraints).into_iter().map(move |arguments| Case {
            spec,
            arguments,
            ignore_unknown: false,
        })
    };
    SPECS.into_iter().flat_map(cases).collect()
}

fn deviations(options: &[OptionSpec], constraints: &Constraints) -> Vec<Map<String, Value>> {
    let first_of_group = |name| constraints.required_one_of.iter().any(|group| group.first() == Some(&name));
    let base: Map<String, Value> = options
        .iter()
        .filter(|option| option.required || first_of_group(option.name))
        .map(|option| (option.name.to_owned(), plausible(option)))
        .collect();
    let with = |option: &OptionSpec, value: Value| {
        let mut arguments = base.clone();
        arguments.insert(option.name.to_owned(), value);
        arguments
    };
    let mut found = Vec::new();
    for option in options {
        found.extend(ODD_VALUES.lines().map(|line| with(option, serde_json::from_str(line).unwrap())));
        for inner in
            option.suboptions.iter().flat_map(|inside| deviations(inside.options, &inside.constraints))
        {
            let inner = Value::Object(inner);
            let value = if option.kind == Type::Dict { inner } else { json!([inner]) };
            found.push(with(option, value));
        }
    }
    found
}

fn plausible(option: &OptionSpec) -> Value {
    match option.kind {
        Type::Str | Type::Path | Type::Raw => json!("x"),
        Type::Bool => json!(true),
        Type::Int | Type::Float => json!(1),
        Type::Dict => json!({}),
        Type::List(_) => json!([]),
    }
}

/// The same sets at every run: mostly what the options take, under their names and aliases, now and then an
/// odd value or an unknown name, at every level.
fn random() -> Vec<Case> {
    let strategies = SPECS.map(|spec| {
        let case = move |(arguments, ignore_unknown)| Case { spec, arguments, ignore_unknown };
        // One without options is asked for some too.
        let often = u32::try_from(spec.options.len()).unwrap().max(1);
        (often, (arguments(spec.options), prop::bool::weighted(0.3)).prop_map(case).boxed())
    });
    let strategy = Union::new_weighted(strategies.into());
    let mut runner = TestRunner::deterministic();
    (0..RANDOM_CASES).map(|_| strategy.new_tree(&mut runner).unwrap().current()).collect()
}

fn arguments(options: &'static [OptionSpec]) -> BoxedStrategy<Map<String, Value>> {
    let given = |name: &'static str, weight: f64, option: &'static OptionSpec| {
        prop::option::weighted(weight, value(option).prop_map(move |value| (name.to_owned(), value))).boxed()
    };
    // A few of many options, or nearly every set would break some rule.
    let seldom = 1.5 / f64::from(u32::try_from(options.len()).unwrap()).max(5.0);
    let mut entries = Vec::new();
    for option in options {
        let often = if option.required { 0.95 } else { seldom };
        entries.push(given(option.name, often, option));
        entries.extend(option.aliases.iter().map(|alias| given(alias, 0.05, option)));
    }
    let unknown = prop::option::weighted(0.03, prop::sample::select(vec!["Name", "nmae", "x y", ""]));
    entries.push(unknown.prop_map(|name| name.map(|name| (name.to_owned(), json!(1)))).boxed());
    entries.prop_map(|entries| entries.into_iter().flatten().collect()).boxed()
}

fn value(option: &'static OptionSpec) -> BoxedStrategy<Value> {
    let odd: Vec<Value> = ODD_VALUES.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    prop_oneof![30 => expected(option), 1 => prop::sample::select(odd)].boxed()
}

/// What the option takes, also as people write it.
fn expected(option: &'static OptionSpec) -> BoxedStrategy<Value> {
    let choices: Vec<Value> = option.choices.iter().copied().map(Value::from).collect();
    let scalar = |kind: Type| match kind {
        _ if !choices.is_empty() => choices.clone(),
        Type::Bool => vec![json!(true), json!("no"), json!(0), json!("True")],
        Type::Int => vec![json!(5), json!("5"), json!(0), json!("1e1")],
        Type::Float => vec![json!(2.5), json!("2.5"), json!(1)],
        Type::Path => vec![json!("~"), json!("/x/$HOME"), json!("x")],
        Type::Dict => vec![json!({"a": 1}), json!("a=1 b=2"), json!("{\"a\": null}"), json!({})],
        Type::Str | Type::Raw | Type::List(_) => vec![json!("text"), json!(""), json!(5), json!(true)],
    };
    let level = option.suboptions.as_ref().map(|inside| arguments(inside.options).prop_map(Value::Object));
    match (option.kind, level) {
        (Type::List(_), Some(level)) => prop::collection::vec(level, 0..3).prop_map(Value::Array).boxed(),
        (_, Some(level)) => level.boxed(),
        (Type::List(element), None) => {
            let items = prop::sample::select(scalar(element.copied().unwrap_or(Type::Raw)));
            prop::collection::vec(items, 0..4).prop_map(Value::Array).boxed()
        }
        (kind, None) => prop::sample::select(scalar(kind)).boxed(),
    }
}
