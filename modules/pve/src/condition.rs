//! What a change waits for beyond what it configures: LACP on the members of bonds. Who has to answer is `reach.rs`'s.

use ansible_module::converge::Device;
use ansible_module::fault::Fault;

use crate::lacp_wait::{self, Bonds, Waiting};
use crate::node::{Node, database_deadline};
use crate::ovsdb::{Ovs, Port};
use crate::unixctl::Daemon;

impl Node<'_> {
    /// The members without a current partner, by bond.
    pub(crate) fn waiting_for_lacp(&mut self, bonds: &Bonds) -> Result<Waiting, Fault> {
        let ovs = self.read()?.ovs;
        let names: Vec<String> = match bonds {
            Bonds::Named(names) => names.clone(),
            Bonds::All => {
                let speaks = |(name, port): (&String, &Port)| {
                    (port.interfaces.len() > 1 && lacp_wait::speaks(port)).then(|| name.clone())
                };
                ovs.ports.iter().filter_map(speaks).collect()
            }
        };
        let mut waiting = Waiting::new();
        for bond in names {
            let members = self.members_waiting(&ovs, &bond)?;
            if !members.is_empty() {
                waiting.insert(bond, members);
            }
        }
        Ok(waiting)
    }

    fn members_waiting(&self, ovs: &Ovs, bond: &str) -> Result<Vec<String>, Fault> {
        let port = ovs.ports.get(bond).ok_or_else(|| {
            Fault::new(
                "bond_not_found",
                format!(
                    "waiting for LACP: Open vSwitch has no `{bond}`; hint: give `bridge` and `members` to make it"
                ),
            )
        })?;
        if !lacp_wait::speaks(port) {
            return Err(Fault::new(
                "lacp_is_off",
                format!("waiting for LACP: `{bond}` does not speak it; hint: `mode: lacp-balance-tcp`"),
            ));
        }
        let lacp = Daemon::open(&self.paths, database_deadline(&self.paths))
            .and_then(|mut daemon| daemon.lacp(bond))
            .map_err(|error| Fault::from_error("ovs_failed", &error))?;
        Ok(lacp_wait::members(port, &lacp))
    }

    /// Waits until the LACP partners of the bonds' members are current.
    pub(crate) fn wait_for_lacp(&mut self) -> Result<(), Fault> {
        let Some((bonds, limit)) = self.lacp.take() else { return Ok(()) };
        self.context.log.line(&format!("waiting for LACP on {bonds}"));
        let context = self.context;
        lacp_wait::until_negotiated(context, limit, &mut || self.waiting_for_lacp(&bonds))
    }
}
