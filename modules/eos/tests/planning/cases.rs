//! Every folder of `tests/plan` is a case: a switch, tasks on it in turn, and what comes of them.
//!
//! - `running`: the running-config before. `startup` is the startup-config, where it is another one.
//! - `case.json`: `tasks`, each the arguments of `eos_port_channel`; `check_mode`, where it is one.
//! - `changes`: what the tasks said, a line each. `lines`: what they typed.
//! - `after`: what differs in the running-config, as the simulated switch shows it, once the lines were typed there.
//! - `warnings` of the tasks and of the switch, where there were some.
//! - or `refused`: the code of the error that the tasks end with, and its message.
//!
//! On each task the laws of planning are checked too: a switch that has become as planned has nothing left to change,
//! and its running-config is read as what was planned.

use std::fmt::Write as _;
use std::fs;
use std::path::Path;

use ansible_module::converge::Target;
use eos::change::{Change, changes, lines};
use eos::config::Config;
use eos::state::State;
use serde_json::Value;

use crate::simulated::{Simulated, plan};

#[test]
fn every_case_comes_out_as_expected() {
    golden::every_case(&Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/plan"), check);
}

fn check(case: &Path) -> golden::Outcome {
    let described: Value = serde_json::from_slice(&fs::read(case.join("case.json")).unwrap()).unwrap();
    let running = fs::read_to_string(case.join("running")).unwrap();
    let mut startup = fs::read_to_string(case.join("startup")).unwrap_or_else(|_| running.clone());
    let mut switch = Simulated::new(&running);
    let before = switch.running();
    assert_eq!(Config::parse(&before), Config::parse(&running), "{}: as EOS would print it", case.display());
    let (mut said, mut typed, mut warned, mut refused) = (String::new(), String::new(), String::new(), None);
    for task in described["tasks"].as_array().unwrap() {
        let check_mode = described["check_mode"] == true;
        match plan(task, &switch.running(), &startup, check_mode) {
            Ok((Target { after, also_affected: _, warnings }, picture)) => {
                warned.extend(warnings.iter().map(|warning| format!("{warning}\n")));
                let planned = changes(&State::found(&picture, &after), &after);
                for change in &planned {
                    writeln!(said, "{change}").unwrap();
                }
                let lines = lines(&planned, picture.running.dialect());
                warned.extend(switch.commit(&lines));
                typed.extend(lines.iter().map(|line| format!("{line}\n")));
                if planned.contains(&Change::Save) {
                    startup = switch.running();
                }
                is_idle(case, task, &switch.running(), &startup, check_mode, &after);
            }
            Err(fault) => {
                refused = Some(format!("{}: {fault}\n", fault.code));
                break;
            }
        }
    }
    let diff =
        similar::TextDiff::from_lines(&before, switch.running()).unified_diff().context_radius(1).to_string();
    let is_fine = refused.is_none();
    vec![
        ("changes", is_fine.then_some(said)),
        ("lines", is_fine.then_some(typed)),
        ("after", is_fine.then_some(diff)),
        ("warnings", Some(warned).filter(|text| !text.is_empty())),
        ("refused", refused),
    ]
}

/// A second run of the task has nothing to do, and the switch is read as what was planned.
fn is_idle(case: &Path, task: &Value, running: &str, startup: &str, check_mode: bool, after: &State) {
    let (again, picture) = plan(task, running, startup, check_mode).unwrap();
    let found = State::found(&picture, after);
    assert_eq!(found.interfaces, after.interfaces, "{}: read back", case.display());
    assert_eq!(changes(&State::found(&picture, &again.after), &again.after), [], "{}: idle", case.display());
}
