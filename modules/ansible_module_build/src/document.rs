//! The shape of a module's documentation file: every key it can have. What the values mean is not known here.

use std::collections::BTreeMap;

use indexmap::IndexMap;
use serde::{Deserialize, de::IgnoredAny};
use serde_json::Value;

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct File {
    #[serde(rename = "DOCUMENTATION")]
    pub documentation: Documentation,
    #[serde(rename = "ARGUMENT_SPEC_EXTRA", default)]
    pub extra: Extra,
    #[serde(rename = "EXAMPLES")]
    _examples: Option<IgnoredAny>,
    #[serde(rename = "RETURN")]
    _return: Option<IgnoredAny>,
}

/// Documentation fragments are not among the keys: their options would be missing from the spec.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Documentation {
    pub module: String,
    pub short_description: String,
    #[serde(default)]
    pub options: IndexMap<String, OptionDoc>,
    #[serde(rename = "version_added")]
    _version_added: Option<IgnoredAny>,
    #[serde(rename = "description")]
    _description: Option<IgnoredAny>,
    #[serde(rename = "author")]
    _author: Option<IgnoredAny>,
    #[serde(rename = "requirements")]
    _requirements: Option<IgnoredAny>,
    #[serde(rename = "attributes")]
    _attributes: Option<IgnoredAny>,
    #[serde(rename = "notes")]
    _notes: Option<IgnoredAny>,
    #[serde(rename = "seealso")]
    _seealso: Option<IgnoredAny>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
pub struct OptionDoc {
    pub description: OneOrMany,
    #[serde(rename = "type", default)]
    pub kind: Kind,
    pub elements: Option<Kind>,
    #[serde(default)]
    pub required: bool,
    pub default: Option<Value>,
    pub choices: Option<Choices>,
    #[serde(default)]
    pub aliases: Vec<String>,
    pub suboptions: Option<IndexMap<String, OptionDoc>>,
    #[serde(rename = "version_added")]
    _version_added: Option<IgnoredAny>,
}

/// The types that modules convert to. Ansible's `json`, `jsonarg`, `bits` and `bytes` are not among them.
#[derive(Deserialize, Clone, Copy, Default, Debug, PartialEq, Eq)]
#[serde(rename_all = "lowercase")]
pub enum Kind {
    #[default]
    Str,
    Path,
    Raw,
    Bool,
    Int,
    Float,
    Dict,
    List,
}

#[derive(Deserialize)]
#[serde(untagged)]
pub enum Choices {
    List(Vec<Value>),
    Described(IndexMap<String, IgnoredAny>),
}

#[derive(Deserialize, PartialEq)]
#[serde(untagged)]
pub enum OneOrMany {
    One(String),
    Many(Vec<String>),
}

/// What stands in `ARGUMENT_SPEC_EXTRA`, at its top or for one option in it.
#[derive(Deserialize, Default, PartialEq)]
#[serde(default, deny_unknown_fields)]
pub struct Extra {
    pub no_log: Option<bool>,
    pub mutually_exclusive: Vec<Vec<String>>,
    pub required_together: Vec<Vec<String>>,
    pub required_one_of: Vec<Vec<String>>,
    pub required_if: Vec<RequiredIf>,
    pub required_by: IndexMap<String, OneOrMany>,
    pub options: BTreeMap<String, Extra>,
}

/// `[option, value, [required, ...]]`, and `true` at the end where one of them is enough.
#[derive(Deserialize, PartialEq)]
pub struct RequiredIf(pub String, pub Value, pub Vec<String>, #[serde(default)] pub bool);
