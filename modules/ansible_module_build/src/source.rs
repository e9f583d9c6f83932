//! A checked document as Rust source: one constant of `ansible_module::spec`. Nothing is decided here.

use serde_json::Value;

use crate::{
    check::{CheckedOption, CheckedRequiredIf, Level},
    document::Kind,
    markup::plain,
};

/// The whole source file.
pub fn render(module: &str, short_description: &str, level: &Level) -> String {
    format!(
        "/// The argument spec of `{module}`.\n\
         pub static SPEC: ::ansible_module::spec::ArgumentSpec = {{\n\
         use ::ansible_module::spec;\n\
         spec::ArgumentSpec {{ module: {module:?}, short_description: {short_description:?}, {} }}\n\
         }};\n",
        fields(level)
    )
}

/// The fields that a spec and suboptions have in common.
fn fields(level: &Level) -> String {
    let Level { options, mutually_exclusive, required_together, required_one_of, required_if, required_by } =
        level;
    let groups = |groups: &[Vec<String>]| slice(groups, |names| texts(names));
    format!(
        "options: {},\nconstraints: spec::Constraints {{ mutually_exclusive: {}, required_together: {}, \
         required_one_of: {}, required_if: {}, required_by: {} }}",
        slice(options, option),
        groups(mutually_exclusive),
        groups(required_together),
        groups(required_one_of),
        slice(required_if, required_if_source),
        slice(required_by, |(name, requires)| format!("({name:?}, {})", texts(requires))),
    )
}

fn option(option: &CheckedOption) -> String {
    let CheckedOption {
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
    } = option;
    let kind = match (kind, elements) {
        (Kind::List, Some(elements)) => format!("List(Some(&spec::Type::{elements:?}))"),
        (Kind::List, None) => "List(None)".to_owned(),
        (kind, _) => format!("{kind:?}"),
    };
    format!(
        "spec::OptionSpec {{ name: {name:?}, description: {:?}, kind: spec::Type::{kind}, required: {required}, \
         no_log: {no_log}, default: {}, choices: {}, aliases: {}, suboptions: {} }}",
        plain(description),
        optional(default.as_ref().map(literal)),
        slice(choices, literal),
        texts(aliases),
        optional(inside.as_ref().map(|level| format!("spec::Suboptions {{ {} }}", fields(level)))),
    )
}

fn required_if_source(rule: &CheckedRequiredIf) -> String {
    let CheckedRequiredIf { option, value, requires, any } = rule;
    format!(
        "spec::RequiredIf {{ option: {option:?}, value: {}, requires: {}, any: {any} }}",
        literal(value),
        texts(requires)
    )
}

fn literal(value: &Value) -> String {
    match value {
        Value::Null => "spec::Literal::Null".to_owned(),
        Value::Bool(value) => format!("spec::Literal::Bool({value})"),
        Value::Number(number) if number.is_f64() => format!("spec::Literal::Float({number})"),
        Value::Number(number) => format!("spec::Literal::Int({number})"),
        Value::String(text) => format!("spec::Literal::Str({text:?})"),
        Value::Array(items) => format!("spec::Literal::List({})", slice(items, literal)),
        Value::Object(entries) => {
            let entries: Vec<_> = entries.iter().collect();
            let entry = |(key, value): &(&String, &Value)| format!("({key:?}, {})", literal(value));
            format!("spec::Literal::Dict({})", slice(&entries, entry))
        }
    }
}

fn texts(texts: &[String]) -> String {
    slice(texts, |text| format!("{text:?}"))
}

fn slice<T>(items: &[T], item: impl Fn(&T) -> String) -> String {
    format!("&[{}]", items.iter().map(item).collect::<Vec<_>>().join(", "))
}

fn optional(source: Option<String>) -> String {
    source.map_or_else(|| "None".to_owned(), |source| format!("Some({source})"))
}
