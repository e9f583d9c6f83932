//! A data plane made of a real Open vSwitch, in this process's network namespace. What its database has to hold is
//! decided in `ovs/wanted.rs`, how it gets there in `ovs/plan.rs`; here it is read, written, and looked at.

mod link;
mod plan;
mod row;
mod show;
mod wanted;

use std::collections::BTreeSet;
use std::process::Command;
use std::time::{Duration, Instant};

use anyhow::Context as _;

use crate::dataplane::{DataPlane, Intent, PortStatus, Status};
use crate::partner::Partner;
use link::Link;
use row::Database;
use wanted::Wanted;

/// For how long what was seen is what is seen.
const FRESH: Duration = Duration::from_millis(400);
/// Seconds until a daemon that does not answer is given up.
const TIME_LIMIT: &str = "--timeout=10";

/// A bridge, and the cables whose kernel interfaces have the names of ports: `Et7_1` is `Ethernet7/1`.
pub struct Ovs {
    bridge: String,
    wanted: Wanted,
    /// Ports whose cable was pulled.
    pulled: BTreeSet<String>,
    seen: Option<(Instant, Status)>,
}

impl Ovs {
    /// The bridge need not exist yet.
    pub fn new(bridge: &str) -> Self {
        Self { bridge: bridge.to_owned(), wanted: Wanted::default(), pulled: BTreeSet::new(), seen: None }
    }

    fn database(&self) -> anyhow::Result<Database> {
        let mut arguments = vec!["--format=json".to_owned()];
        for (table, columns) in row::TABLES {
            arguments.extend([
                "--".to_owned(),
                format!("--columns={columns}"),
                "list".to_owned(),
                table.to_owned(),
            ]);
        }
        Database::parse(&run("ovs-vsctl", &arguments)?, &self.bridge)
            .context("reading Open vSwitch's database")
    }

    /// The bridge's address, which its bonds give as their system in LACP.
    fn system(&self) -> anyhow::Result<Option<String>> {
        let arguments = ["--if-exists", "get", "Bridge", &self.bridge, "other_config:hwaddr"];
        let address = run("ovs-vsctl", &arguments.map(str::to_owned))?;
        Ok(Some(address.trim().trim_matches('"').to_owned()).filter(|address| !address.is_empty()))
    }

    fn look(&self) -> anyhow::Result<Status> {
        let lacp = show::lacp(&run("ovs-appctl", &["lacp/show".to_owned()])?);
        let bonds = show::bonds(&run("ovs-appctl", &["bond/show".to_owned()])?);
        let mut status = Status { system: self.system()?, ..Status::default() };
        for link in Link::all()? {
            let carrier = link.carrier();
            let negotiation = lacp.get(&link.name);
            let bundled = match negotiation {
                Some(negotiation) => {
                    negotiation.bundled || negotiation.enabled && self.wanted.stands_in(&link.name)
                }
                // Without LACP a bond's member, or the only member of a channel, needs no more than its cable.
                None => {
                    self.wanted.is_member(&link.name) && bonds.get(&link.name).copied().unwrap_or(carrier)
                }
            };
            let port = PortStatus {
                link: carrier,
                speed: link.speed(),
                mac: link.mac(),
                bundled: bundled && carrier,
                lacp: negotiation.map(|negotiation| negotiation.lacp.clone()),
                counters: link.counters(),
            };
            status.ports.insert(link.port(), port);
        }
        Ok(status)
    }
}

impl DataPlane for Ovs {
    fn apply(&mut self, intent: &Intent) -> anyhow::Result<()> {
        self.seen = None;
        let links = Link::all()?;
        self.wanted = Wanted::new(intent, &links, &self.pulled);
        let found = self.database()?;
        let transaction = plan::transaction(&self.bridge, &found, &self.wanted, &links);
        // A port goes down before its settings change and comes up after.
        self.wanted.set_links(&links, false)?;
        if !transaction.is_empty() {
            run("ovs-vsctl", &transaction).context("changing Open vSwitch")?;
        }
        self.wanted.set_links(&links, true)
    }

    fn set_partner(&mut self, port: &str, partner: Partner) -> anyhow::Result<()> {
        match partner {
            Partner::Up => self.pulled.remove(port),
            Partner::Down => self.pulled.insert(port.to_owned()),
            _ => anyhow::bail!("the cable of {port} is real: `up` and `down` are what it can be"),
        };
        Ok(())
    }

    fn status(&mut self) -> anyhow::Result<Status> {
        if let Some((at, status)) = &self.seen
            && at.elapsed() < FRESH
        {
            return Ok(status.clone());
        }
        let status = self.look()?;
        self.seen = Some((Instant::now(), status.clone()));
        Ok(status)
    }
}

/// Runs one of Open vSwitch's programs, all of which take a time limit; returns what it printed.
fn run(program: &str, arguments: &[String]) -> anyhow::Result<String> {
    let output = Command::new(program)
        .arg(TIME_LIMIT)
        .args(arguments)
        .output()
        .with_context(|| format!("running {program}"))?;
    anyhow::ensure!(
        output.status.success(),
        "`{program} {}`: {}, {}",
        arguments.join(" "),
        output.status,
        String::from_utf8_lossy(&output.stderr).trim()
    );
    String::from_utf8(output.stdout).with_context(|| format!("reading what {program} printed"))
}
