//! The argument spec of a module: which options it takes, and what each of them accepts.
//!
//! A spec is constant data, compiled from `library/<module>.yml` by `ansible_module_build`. What it means is
//! said in `convert` for types, and in `validate` for everything else.

mod choices;
mod constraints;
mod convert;
mod help;
mod no_log;
mod place;
mod python;
mod validate;

pub use convert::convert;
use serde_json::{Map, Value};
pub use validate::{Invalid, InvalidKind, Validated};

/// What a module accepts, as one constant.
#[derive(Debug)]
pub struct ArgumentSpec {
    /// Name of the module, without a collection.
    pub module: &'static str,
    /// One line that says what the module is for.
    pub short_description: &'static str,
    /// The options, in the order of the documentation.
    pub options: &'static [OptionSpec],
    /// What must hold between the options.
    pub constraints: Constraints,
}

/// One option.
#[derive(Debug)]
pub struct OptionSpec {
    /// Its canonical name.
    pub name: &'static str,
    /// First line of its description, without markup.
    pub description: &'static str,
    /// What a value is converted to.
    pub kind: Type,
    /// Whether it must be given.
    pub required: bool,
    /// Whether its value is a secret (Ansible's `no_log`).
    pub no_log: bool,
    /// Value where it is not given. Never together with `required` or `no_log`.
    pub default: Option<Literal>,
    /// The values it can have, or its elements where it is a list; empty where any value will do.
    pub choices: &'static [Literal],
    /// Other names that it is accepted under.
    pub aliases: &'static [&'static str],
    /// What is inside, where it is a dict or a list of dicts.
    pub suboptions: Option<Suboptions>,
}

/// The inside of a dict, or of every dict in a list.
#[derive(Debug)]
pub struct Suboptions {
    /// The options inside.
    pub options: &'static [OptionSpec],
    /// What must hold between them.
    pub constraints: Constraints,
}

/// The type that a value is converted to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Type {
    /// Text.
    Str,
    /// Text in which `~` and environment variables are expanded.
    Path,
    /// Whatever was given.
    Raw,
    /// Truth, also as `yes`, `off`, `1` and the like.
    Bool,
    /// Whole number of at most 64 bits.
    Int,
    /// Number.
    Float,
    /// Map from texts to values.
    Dict,
    /// List, of elements of one type or of any.
    List(Option<&'static Type>),
}

/// A constant value: a default, a choice, or what an option is compared with.
#[derive(Debug, Clone, Copy)]
pub enum Literal {
    /// Nothing, inside of a list or map.
    Null,
    /// `true` or `false`.
    Bool(bool),
    /// A whole number.
    Int(i64),
    /// A number with a fraction.
    Float(f64),
    /// A text.
    Str(&'static str),
    /// A list.
    List(&'static [Literal]),
    /// A map.
    Dict(&'static [(&'static str, Literal)]),
}

/// What must hold between the options of one level, in the terms of Ansible's argument spec.
#[derive(Debug)]
pub struct Constraints {
    /// Of each group at most one is given.
    pub mutually_exclusive: &'static [&'static [&'static str]],
    /// Of each group all or none are given.
    pub required_together: &'static [&'static [&'static str]],
    /// Of each group at least one is given.
    pub required_one_of: &'static [&'static [&'static str]],
    /// What the value of one option requires.
    pub required_if: &'static [RequiredIf],
    /// What each option requires once it is given.
    pub required_by: &'static [(&'static str, &'static [&'static str])],
}

/// Options that are required where another one has a certain value.
#[derive(Debug)]
pub struct RequiredIf {
    /// The other option.
    pub option: &'static str,
    /// Its value.
    pub value: Literal,
    /// What is required then.
    pub requires: &'static [&'static str],
    /// Whether one of them is enough.
    pub any: bool,
}

impl ArgumentSpec {
    /// Whether there is an option that can be given under this name.
    pub fn has(&self, name: &str) -> bool {
        self.options.iter().any(|option| option.name == name || option.aliases.contains(&name))
    }
}

impl OptionSpec {
    /// An option of which only its name and type are known, to be completed by struct update.
    pub const fn new(name: &'static str, kind: Type) -> Self {
        Self {
            name,
            description: "",
            kind,
            required: false,
            no_log: false,
            default: None,
            choices: &[],
            aliases: &[],
            suboptions: None,
        }
    }
}

impl Constraints {
    /// No constraints at all, to be completed by struct update.
    pub const NONE: Self = Self {
        mutually_exclusive: &[],
        required_together: &[],
        required_one_of: &[],
        required_if: &[],
        required_by: &[],
    };
}

impl Type {
    /// The name of the type in documentation and messages.
    pub const fn name(self) -> &'static str {
        match self {
            Self::Str => "str",
            Self::Path => "path",
            Self::Raw => "raw",
            Self::Bool => "bool",
            Self::Int => "int",
            Self::Float => "float",
            Self::Dict => "dict",
            Self::List(_) => "list",
        }
    }
}

impl From<Literal> for Value {
    fn from(literal: Literal) -> Self {
        match literal {
            Literal::Null => Self::Null,
            Literal::Bool(value) => value.into(),
            Literal::Int(value) => value.into(),
            Literal::Float(value) => value.into(),
            Literal::Str(value) => value.into(),
            Literal::List(items) => items.iter().copied().map(Self::from).collect(),
            Literal::Dict(entries) => {
                let entry = |&(key, value): &(&str, Literal)| (key.to_owned(), Self::from(value));
                Self::Object(entries.iter().map(entry).collect::<Map<_, _>>())
            }
        }
    }
}
