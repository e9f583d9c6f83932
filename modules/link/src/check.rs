//! `lacp_link_check`: its arguments, and its answer. What does not fit is found elsewhere.

use ansible_module::context::Context;
use ansible_module::fault::{Fault, Step};
use ansible_module::outcome::{Ended, Failure, Report};
use ansible_module::run::Module;
use ansible_module::spec::ArgumentSpec;
use serde::Deserialize;
use serde_json::{Map, Value, json};

use crate::description::{self, Link};
use crate::finding::Finding;
use crate::node_report::NodeReport;
use crate::switch_report::SwitchReport;
use crate::{impossible, proof, specs};

/// The module.
pub struct LacpLinkCheck;

impl Module for LacpLinkCheck {
    const SPEC: &'static ArgumentSpec = &specs::lacp_link_check::SPEC;
    type Params = Params;

    fn run(params: Params, _: &Context) -> Ended {
        let Params { node, link, info, switches, fail } = params;
        let refused = |fault| Failure::untouched(Step::Arguments, fault);
        let link = Link::new(link).map_err(refused)?;
        let mut findings = impossible::findings(&node, &link);
        if fail && findings.iter().any(Finding::is_error) {
            let fault = Fault::new("impossible_link", sentences("can't work", &findings));
            return Err(Failure::with_facts(Step::Plan, fault, facts(&findings), Vec::new()));
        }
        // One switch: more than that was refused above.
        if let (Some(info), Some(switches), [switch]) = (info, switches, link.switches.as_slice())
            && !findings.iter().any(Finding::is_error)
        {
            let node_report = NodeReport::new(info).map_err(refused)?;
            let switch_report = SwitchReport::new(&switches, &switch.name).map_err(refused)?;
            findings.splice(0..0, proof::findings(&node, &link, switch, &node_report, &switch_report));
        }
        if fail && findings.iter().any(Finding::is_error) {
            let fault = Fault::new("link_mismatch", sentences("do not fit", &findings));
            return Err(Failure::with_facts(Step::Condition, fault, facts(&findings), Vec::new()));
        }
        Ok(Report::facts(facts(&findings), Vec::new()))
    }
}

/// The arguments as given.
#[derive(Debug, Deserialize)]
#[expect(missing_docs, reason = "documented in library/lacp_link_check.yml, which decides what they are")]
pub struct Params {
    pub node: String,
    pub link: description::Params,
    pub info: Option<Value>,
    pub switches: Option<Value>,
    pub fail: bool,
}

fn facts(findings: &[Finding]) -> Map<String, Value> {
    let ok = !findings.iter().any(Finding::is_error);
    Map::from_iter([("findings".to_owned(), json!(findings)), ("ok".to_owned(), json!(ok))])
}

/// Every error in one line; notes are no reason to fail.
fn sentences(verdict: &str, findings: &[Finding]) -> String {
    let errors: Vec<&str> =
        findings.iter().filter(|finding| finding.is_error()).map(|finding| finding.text.as_str()).collect();
    if let [only] = errors.as_slice() {
        return (*only).to_owned();
    }
    let numbered: Vec<String> =
        (1..).zip(&errors).map(|(at, text): (usize, _)| format!("({at}) {text}")).collect();
    format!("{} things {verdict}: {}", errors.len(), numbered.join("; "))
}
