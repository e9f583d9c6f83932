//! `playbooks/migrate.yml` on a node of a cluster with HA, whose watchdog would reset it for a cluster that it lost. The
//! cluster is a stand-in of `pvesh`; asked in check mode, where the same is refused.

use anyhow::Result;
use lab::Lab;
use lab::playbook::Play;
use lab::uplink::OldState;

const NODE: &str = "node1";
const ON_THE_LINK: &str = "10.10.0.2";
const ELSEWHERE: &str = "10.99.0.2";

/// Services as `pvesh` lists them.
const STARTED: &str = r#"{"crm_state":"started","id":"service:vm:100","node":"node1","sid":"vm:100","state":"started","type":"service"}"#;
const STOPPED: &str = r#"{"crm_state":"stopped","id":"service:vm:100","node":"node1","sid":"vm:100","state":"stopped","type":"service"}"#;
const OF_ANOTHER: &str = r#"{"crm_state":"started","id":"service:vm:101","node":"node2","sid":"vm:101","state":"started","type":"service"}"#;

#[test]
fn a_node_that_its_watchdog_could_reset_is_not_migrated() -> Result<()> {
    let lab = Lab::up_uplink(OldState::Vmbr0)?;
    lab.sh(NODE, "ip link add ring0 type veth peer name ring9; ip address add 10.99.0.2/24 dev ring0; ip link set ring0 up")?;
    let before = [lab.configuration(NODE)?, lab.switch_snapshot()?];
    for (ring, lrm, service, is_refused) in [
        (ON_THE_LINK, "active", STARTED, true),
        (ON_THE_LINK, "lost_agent_lock", STARTED, true),
        (ON_THE_LINK, "old timestamp - dead?", STOPPED, true),
        // Its services are still leaving.
        (ON_THE_LINK, "maintenance mode", STARTED, true),
        (ON_THE_LINK, "maintenance mode", STOPPED, false),
        (ON_THE_LINK, "maintenance mode", OF_ANOTHER, false),
        (ON_THE_LINK, "idle, watchdog standby", OF_ANOTHER, false),
        (ELSEWHERE, "active", STARTED, false),
    ] {
        cluster(&lab, ring, lrm, service)?;
        let case = format!("{ring}, {lrm}, {service}");
        if is_refused {
            let refused = Play::failing(&mut lab.uplink_playbook("migrate.yml", &["--check"])?)?;
            let message = refused.message(NODE, "What became of both ends")?;
            for words in ["10.10.0.2 on vmbr0", lrm, "node-maintenance enable node1", "node1 was not changed"]
            {
                assert!(message.contains(words), "{case}: `{words}` is not in: {message}");
            }
        } else {
            Play::of(&mut lab.uplink_playbook("migrate.yml", &["--check"])?)?;
        }
    }
    cluster(&lab, ON_THE_LINK, "active", STARTED)?;
    Play::of(&mut lab.uplink_playbook("migrate.yml", &["--check", "-e", "migrate_with_ha=true"])?)?;
    assert_eq!([lab.configuration(NODE)?, lab.switch_snapshot()?], before);

    // What is staged for a run that is refused is dropped.
    let refused = Play::failing(&mut lab.uplink_playbook("migrate.yml", &[])?)?;
    let message = refused.message(NODE, "What became of both ends")?;
    assert!(message.contains("Nothing was changed on the switch. node1 is back"), "{message}");
    assert_eq!([lab.configuration(NODE)?, lab.switch_snapshot()?], before);
    Ok(())
}

/// Puts the node into a cluster with this address of its own, and HA in this state, both as Proxmox tells them.
fn cluster(lab: &Lab, ring: &str, lrm: &str, service: &str) -> Result<()> {
    let status = format!(
        r#"[{{"id":"quorum","node":"node1","quorate":1,"status":"OK","type":"quorum"}},{{"id":"master","node":"node2","status":"node2 (active, Sun Nov 22 20:00:00 2026)","timestamp":1795377600,"type":"master"}},{{"id":"lrm:","node":"","status":" (unable to read lrm status)","type":"lrm"}},{{"id":"lrm:node1","node":"node1","status":"node1 ({lrm}, Sun Nov 22 20:00:00 2026)","timestamp":1795377600,"type":"lrm"}},{{"id":"lrm:node2","node":"node2","status":"node2 (active, Sun Nov 22 20:00:00 2026)","timestamp":1795377600,"type":"lrm"}},{service}]"#
    );
    let stand_in = format!(
        "#!/bin/sh\n\
         echo 'perl: warning: Setting locale failed.' >&2\n\
         case $2 in\n\
         /cluster/status) echo '[{{\"name\":\"lab\",\"quorate\":1,\"type\":\"cluster\"}}]' ;;\n\
         /cluster/ha/status/current) echo '{status}' ;;\n\
         *) exit 1 ;;\n\
         esac\n"
    );
    lab.write(NODE, "/usr/bin/pvesh", &stand_in)?;
    lab.sh(NODE, "chmod 755 /usr/bin/pvesh; mkdir -p /etc/pve")?;
    let corosync = format!(
        "nodelist {{\n  node {{\n    name: node1\n    nodeid: 1\n    quorum_votes: 1\n    ring0_addr: {ring}\n  }}\n  node {{\n    name: \
         node2\n    nodeid: 2\n    quorum_votes: 1\n    ring0_addr: 10.10.0.3\n  }}\n}}\n"
    );
    lab.write(NODE, "/etc/pve/corosync.conf", &corosync)
}
