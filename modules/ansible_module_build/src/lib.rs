//! Compiles `library/<module>.yml` into Rust source for the argument spec, from a build script.
//!
//! The documentation is the spec. What documentation cannot say stands beside it in the same file, in a
//! top-level `ARGUMENT_SPEC_EXTRA` with the keys of Ansible's argument spec:
//! ```yaml
//! ARGUMENT_SPEC_EXTRA:
//!   mutually_exclusive: [[members, config]]
//!   required_if: [[state, present, [name]]]
//!   options:
//!     password:
//!       no_log: true
//!     config:
//!       required_by: {members: name}   # of the suboptions of config
//!       options: {}
//! ```
//! Whatever is unknown or contradicts itself is an error of the build, so nothing of it is left for run time.

mod check;
mod document;
mod markup;
mod source;

use std::{
    env, fs, io,
    path::{Path, PathBuf},
    process::ExitCode,
};

use thiserror::Error;

use crate::document::File;

/// Why a document cannot be compiled.
#[derive(Debug, Error)]
pub enum Error {
    /// It, or cargo's environment, could not be read.
    #[error("cannot read `{}`: {source}", path.display())]
    Read {
        /// The document.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
    /// It is no YAML, or has keys or values that no documentation has.
    #[error("cannot understand `{}`: {fact}", path.display())]
    Parse {
        /// The document.
        path: PathBuf,
        /// What was found, and at which line.
        fact: String,
    },
    /// What it says makes no sense.
    #[error("cannot compile `{}`: {subject}: {fact}", path.display())]
    Check {
        /// The document.
        path: PathBuf,
        /// The option, or the part of `ARGUMENT_SPEC_EXTRA`, that it is about.
        subject: String,
        /// What is wrong with it.
        fact: String,
    },
    /// The source could not be written.
    #[error("cannot write `{}`: {source}", path.display())]
    Write {
        /// The source file.
        path: PathBuf,
        /// What went wrong.
        source: io::Error,
    },
}

/// Compiles one document into a source file that defines `pub static SPEC: ansible_module::spec::ArgumentSpec`.
pub fn compile(document: &Path, out: &Path) -> Result<(), Error> {
    let path = document.to_owned();
    let text = fs::read_to_string(document).map_err(|source| Error::Read { path: path.clone(), source })?;
    let source = compile_text(&text, document)?;
    fs::write(out, source).map_err(|source| Error::Write { path: out.to_owned(), source })
}

fn compile_text(text: &str, document: &Path) -> Result<String, Error> {
    let path = document.to_owned();
    let File { documentation, extra, .. } = serde_saphyr::from_str(text)
        .map_err(|error| Error::Parse { path: path.clone(), fact: error.without_snippet().to_string() })?;
    if document.file_stem().and_then(|stem| stem.to_str()) != Some(&documentation.module) {
        let fact = format!("the document of `{}` has another file name", documentation.module);
        return Err(Error::Check { path, subject: "module".to_owned(), fact });
    }
    let level = check::document(documentation.options, extra)
        .map_err(|check::Problem { subject, fact }| Error::Check { path, subject, fact })?;
    Ok(source::render(&documentation.module, &documentation.short_description, &level))
}

/// The whole of a build script: compiles each document to `$OUT_DIR/<module>.rs`, again when it changes.
///
/// The documents are listed, and not looked for, because cargo would compile everything anew whenever a built
/// module is put beside its document.
pub fn build_script(documents: &[&str]) -> ExitCode {
    let compiled = documents.iter().map(Path::new).try_for_each(|document| {
        tell_cargo("rerun-if-changed", &document.display().to_string());
        let out = env::var_os("OUT_DIR").map(PathBuf::from).unwrap_or_default();
        let module = document.file_stem().unwrap_or_default();
        compile(document, &out.join(module).with_extension("rs"))
    });
    match compiled {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            tell_cargo("error", &error.to_string());
            ExitCode::FAILURE
        }
    }
}

#[expect(clippy::print_stdout, reason = "it is how a build script speaks to cargo")]
fn tell_cargo(what: &str, text: &str) {
    println!("cargo::{what}={text}");
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Compiles a document with these options and this `ARGUMENT_SPEC_EXTRA`, both written in flow style.
    fn compile_parts(options: &str, extra: &str) -> Result<String, Error> {
        let text = format!(
            "DOCUMENTATION: {{module: m, short_description: A module, options: {{{options}}}}}\n\
             ARGUMENT_SPEC_EXTRA: {{{extra}}}\n"
        );
        compile_text(&text, Path::new("library/m.yml"))
    }

    #[test]
    fn what_makes_no_sense_is_refused_and_named() {
        for (options, expected) in [
            ("a: {description: x, tpye: int}", "cannot understand `library/m.yml`: unknown field `tpye`"),
            ("a: {description: x, type: json}", "cannot understand `library/m.yml`: unknown variant `json`"),
            (
                "a: {description: x}, a: {description: x}",
                "cannot understand `library/m.yml`: duplicate mapping key",
            ),
            ("a: {description: []}", "option `a`: it has no description"),
            ("A: {description: x}", "option `A`: its name is not of the form"),
            ("a: {description: x, aliases: [B]}", "option `a`: its alias `B` is not of the form"),
            (
                "a: {description: x, aliases: [b]}, b: {description: x}",
                "option `a`: its alias `b` is another",
            ),
            ("a: {description: x, aliases: [b, b]}", "option `a`: its alias `b` is another"),
            ("a: {description: x, elements: int}", "option `a`: only a list has `elements`"),
            ("a: {description: x, type: list, elements: list}", "option `a`: lists of lists"),
            (
                "a: {description: x, required: true, default: x}",
                "option `a`: it is required and has a default",
            ),
            ("a: {description: x, type: bool, choices: [yes]}", "option `a`: only text and numbers"),
            ("a: {description: x, choices: [on]}", "option `a`: the choice `true` is not of its type"),
            ("a: {description: x, choices: [b, b]}", "option `a`: the choice `\"b\"` is there twice"),
            (
                "a: {description: x, type: int, default: x}",
                "option `a`: the default `\"x\"` is not of its type",
            ),
            ("a: {description: x, choices: [b], default: c}", "option `a`: the default `\"c\"` is not among"),
            (
                "a: {description: x, type: list, elements: int, choices: [1], default: [1, 2]}",
                "option `a`: the default `2` is not among",
            ),
            (
                "a: {description: x, suboptions: {b: {description: x}}}",
                "option `a`: only a dict or a list of dicts",
            ),
            ("a: {description: x, type: dict, suboptions: {}}", "option `a`: its `suboptions` are empty"),
            (
                "a: {description: x, type: dict, suboptions: {b: {description: x, type: int, default: x}}}",
                "option `a.b`: the default",
            ),
            ("ssh_password: {description: x}", "option `ssh_password`: its name sounds secret"),
        ] {
            let message = compile_parts(options, "").unwrap_err().to_string();
            assert!(message.contains(expected), "{options}\n{message}\n{expected}");
        }
    }

    #[test]
    fn what_the_extra_says_must_fit_the_options() {
        let options = "a: {description: x}, b: {description: x, default: w}, n: {description: x, type: int}, \
                       c: {description: x, choices: [d, e]}, \
                       s: {description: x, type: dict, suboptions: {t: {description: x}}}";
        for (extra, expected) in [
            ("odd: 1", "unknown field `odd`"),
            ("no_log: true", "ARGUMENT_SPEC_EXTRA: `no_log` belongs to an option"),
            ("options: {z: {no_log: true}}", "option `z`: ARGUMENT_SPEC_EXTRA speaks of it"),
            ("options: {n: {no_log: true}}", "option `n`: a number or bool cannot be `no_log`"),
            ("options: {b: {no_log: true}}", "option `b`: a documented default or choice is no secret"),
            (
                "options: {a: {required_by: {a: b}}}",
                "option `a`: ARGUMENT_SPEC_EXTRA speaks of its suboptions",
            ),
            ("options: {s: {options: {z: {}}}}", "option `s.z`: ARGUMENT_SPEC_EXTRA speaks of it"),
            ("options: {s: {required_by: {t: a}}}", "`required_by` of option `s`: there is no option `a`"),
            ("mutually_exclusive: [a, b]", "cannot understand"),
            ("mutually_exclusive: [[a, z]]", "`mutually_exclusive`: there is no option `z`"),
            ("mutually_exclusive: [[a]]", "`mutually_exclusive`: [\"a\"] names less than 2 options"),
            ("required_together: [[a, a]]", "`required_together`: `a` is named twice"),
            ("required_one_of: [[a, b]]", "`required_one_of`: it is always fulfilled, because `b`"),
            ("required_if: [[a, x]]", "cannot understand"),
            ("required_if: [[z, x, [a]]]", "`required_if`: there is no option `z`"),
            ("required_if: [[c, x, [a]]]", "`required_if`: `c` can never be `\"x\"`"),
            ("required_if: [[n, x, [a]]]", "`required_if`: `n` can never be `\"x\"`"),
            ("required_if: [[n, 1, []]]", "`required_if`: [] names less than 1 options"),
            ("required_by: {a: z}", "`required_by`: there is no option `z`"),
        ] {
            let message = compile_parts(options, extra).unwrap_err().to_string();
            assert!(message.contains(expected), "{extra}\n{message}\n{expected}");
        }
    }

    #[test]
    fn a_document_is_read_under_the_name_of_its_module_only() {
        let text = "DOCUMENTATION: {module: m, short_description: A module}";
        assert!(compile_text(text, Path::new("m.yml")).is_ok());
        let message = compile_text(text, Path::new("n.yml")).unwrap_err().to_string();
        assert_eq!(message, "cannot compile `n.yml`: module: the document of `m` has another file name");
        let message = compile_text(&format!("{text}\nODD: 1"), Path::new("m.yml")).unwrap_err().to_string();
        assert!(message.contains("unknown field `ODD`"), "{message}");
        let fragment = text.replace('}', ", extends_documentation_fragment: f}");
        let message = compile_text(&fragment, Path::new("m.yml")).unwrap_err().to_string();
        assert!(message.contains("unknown field `extends_documentation_fragment`"), "{message}");
    }

    #[test]
    fn the_source_is_written_where_it_is_wanted() {
        let folder = tempfile::tempdir().unwrap();
        let (document, out) = (folder.path().join("m.yml"), folder.path().join("m.rs"));
        assert!(matches!(compile(&document, &out), Err(Error::Read { .. })));
        fs::write(&document, "DOCUMENTATION: {module: m, short_description: A \"module\"}").unwrap();
        compile(&document, &out).unwrap();
        let source = fs::read_to_string(&out).unwrap();
        assert!(source.contains("pub static SPEC: ::ansible_module::spec::ArgumentSpec"), "{source}");
        assert!(source.contains(r#"short_description: "A \"module\"""#), "{source}");
        assert!(matches!(compile(&document, folder.path()), Err(Error::Write { .. })));
    }
}
