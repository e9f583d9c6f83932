//! The text of `--help`: what a module is for, how it is called and what it takes.

use std::fmt::Write;

use serde_json::Value;

use super::{ArgumentSpec, Literal, OptionSpec, Type};

/// Columns that the text keeps to, unless a single word is longer.
const WIDTH: usize = 80;

impl ArgumentSpec {
    /// The text of `--help`, which ends with a newline.
    pub fn help(&self) -> String {
        let Self { module, short_description, options, constraints: _ } = self;
        let mut out = format!(
            "{module}: {short_description}\n\
             \n\
             Usage: {module} FILE             with the options as a JSON object in FILE\n\
             \x20      {module} -                the same from standard input\n\
             \x20      {module} --rollback DIR   undoes what an interrupted run left in DIR\n\
             \x20      {module} --help\n\
             \x20      {module} --version\n\
             \n\
             Options:\n"
        );
        describe(options, 2, &mut out);
        out
    }
}

fn describe(options: &[OptionSpec], indent: usize, out: &mut String) {
    for option in options {
        // Writing to a `String` cannot fail.
        let _ = writeln!(out, "{:indent$}{} ({})", "", option.name, traits(option).join("; "));
        wrap(option.description, indent + 4, out);
        if let Some(inside) = &option.suboptions {
            describe(inside.options, indent + 4, out);
        }
    }
}

fn traits(option: &OptionSpec) -> Vec<String> {
    let list = |literals: &[Literal]| literals.iter().map(show).collect::<Vec<_>>().join(", ");
    let mut traits = vec![match option.kind {
        Type::List(Some(element)) => format!("list of {}", element.name()),
        kind => kind.name().to_owned(),
    }];
    if option.required {
        traits.push("required".to_owned());
    }
    if let Some(default) = &option.default {
        traits.push(format!("default: {}", show(default)));
    }
    if !option.choices.is_empty() {
        traits.push(format!("choices: {}", list(option.choices)));
    }
    if !option.aliases.is_empty() {
        traits.push(format!("aliases: {}", option.aliases.join(", ")));
    }
    traits
}

/// As one would write it in a playbook.
fn show(literal: &Literal) -> String {
    match Value::from(*literal) {
        Value::String(text) if !text.is_empty() => text,
        value => value.to_string(),
    }
}

fn wrap(text: &str, indent: usize, out: &mut String) {
    let mut column = 0;
    for word in text.split_whitespace() {
        let length = word.chars().count();
        let gap = if column == 0 {
            " ".repeat(indent)
        } else if column + 1 + length > WIDTH {
            column = 0;
            format!("\n{:indent$}", "")
        } else {
            " ".to_owned()
        };
        column = if column == 0 { indent + length } else { column + 1 + length };
        out.push_str(&gap);
        out.push_str(word);
    }
    if column > 0 {
        out.push('\n');
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::spec::{Constraints, Suboptions};

    static SPEC: ArgumentSpec = ArgumentSpec {
        module: "link",
        short_description: "A link",
        options: &[
            OptionSpec {
                description: "Name of the link.",
                required: true,
                aliases: &["iface", "id"],
                ..OptionSpec::new("name", Type::Str)
            },
            OptionSpec {
                description: "How many bytes fit into one frame, which is more than what fits into one packet.",
                default: Some(Literal::Int(1500)),
                choices: &[Literal::Int(1500), Literal::Int(9000)],
                ..OptionSpec::new("mtu", Type::Int)
            },
            OptionSpec {
                description: "The ends.",
                suboptions: Some(Suboptions {
                    options: &[OptionSpec {
                        default: Some(Literal::Str("")),
                        ..OptionSpec::new("port", Type::Str)
                    }],
                    constraints: Constraints::NONE,
                }),
                ..OptionSpec::new("ends", Type::List(Some(&Type::Dict)))
            },
        ],
        constraints: Constraints::NONE,
    };

    #[test]
    fn every_option_shows_what_it_takes() {
        assert_eq!(
            SPEC.help(),
            "\
link: A link

Usage: link FILE             with the options as a JSON object in FILE
       link -                the same from standard input
       link --rollback DIR   undoes what an interrupted run left in DIR
       link --help
       link --version

Options:
  name (str; required; aliases: iface, id)
      Name of the link.
  mtu (int; default: 1500; choices: 1500, 9000)
      How many bytes fit into one frame, which is more than what fits into one
      packet.
  ends (list of dict)
      The ends.
      port (str; default: \"\")
"
        );
    }
}
