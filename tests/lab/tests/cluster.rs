//! `playbooks/lacp.yml` on nodes of a cluster: a node is touched only while the cluster can spare it. The cluster is a
//! stand-in of `pvesh`.

use anyhow::{Context, Result};
use lab::Lab;

/// What the playbook asks, before and after each node.
const TASK: &str = "The node's cluster has a majority, if it is in one";
/// Seconds that it waits.
const WAIT: [&str; 2] = ["-e", "cluster_wait=4"];

#[test]
fn the_next_node_is_touched_only_while_the_cluster_has_its_majority() -> Result<()> {
    let lab = Lab::up_switch()?;
    let untouched = lab.snapshots()?;

    // Not before the first node.
    pvesh(&lab, "quorate=0")?;
    let refused = lab.failing_playbook("lacp.yml", &WAIT)?;
    told(&refused.text)?;
    assert_eq!(lab.snapshots()?, untouched);

    // Lost by the change of the first node.
    pvesh(&lab, "quorate=1; ! ovs-vsctl br-exists vmbr0 || quorate=0")?;
    let stopped = lab.failing_playbook("lacp.yml", &WAIT)?;
    told(&stopped.text)?;
    assert_eq!(lab.snapshot("node2")?, untouched[1]);
    let running = lab.switch_show("show running-config")?;
    assert!(running.contains("interface Port-Channel1001\n"), "{running}");
    assert!(!running.contains("interface Port-Channel1002\n"), "{running}");

    // Back after a while, in which pvesh itself fails too. The other node is in no cluster, and waits for nothing.
    pvesh(
        &lab,
        "echo >>/run/asked
         case $(wc -l </run/asked) in 2) exit 255 ;; 3) quorate=0 ;; *) quorate=1 ;; esac",
    )?;
    let done = lab.playbook("lacp.yml", &["-e", "cluster_wait=60"])?;
    assert_eq!(done.count("changed"), [0, 4], "{}", done.text);
    assert_eq!(lab.sh("node1", "wc -l </run/asked")?.trim(), "4");
    for (node, attempts) in [("node1", 3), ("node2", 1)] {
        assert_eq!(done.results[&format!("{node} {TASK}")]["attempts"], attempts, "{}", done.text);
    }
    Ok(())
}

/// Puts `node1` into a cluster whose majority a shell script decides.
fn pvesh(lab: &Lab, script: &str) -> Result<()> {
    let stand_in = format!(
        "#!/bin/sh
         [ \"$*\" = 'get /cluster/status --output-format json' ] || exit 1
         echo 'perl: warning: Setting locale failed.' >&2
         {script}
         printf '[{{\"id\":\"cluster\",\"name\":\"lab\",\"nodes\":2,\"quorate\":%d,\"type\":\"cluster\",\"version\":2}},' $quorate
         printf '{{\"id\":\"node/node1\",\"ip\":\"198.18.1.2\",\"level\":\"\",\"local\":1,\"name\":\"node1\",\"nodeid\":1,\"online\":1,\"type\":\"node\"}}]\\n'
        "
    );
    lab.write("node1", "/usr/bin/pvesh", &stand_in)?;
    lab.sh("node1", "chmod 755 /usr/bin/pvesh; mkdir -p /etc/pve; touch /etc/pve/corosync.conf").map(drop)
}

/// What the person is told who has to look after the cluster.
fn told(text: &str) -> Result<()> {
    let line = text.lines().find(|line| line.starts_with("fatal: [node1]")).context("nothing was fatal")?;
    assert!(line.contains("this node's part of its cluster has no majority"), "{line}");
    Ok(())
}
