//! Where the SSH connection to a node comes from, told under the node's real sshd.

use anyhow::Result;
use lab::Lab;

/// Run on node1 over SSH from `control`, the words before it such as `env -u NAME`.
fn peer(lab: &Lab, words: &[&str]) -> Result<String> {
    let config = lab.lab("ssh-config", &[])?;
    let words = [&["ssh", "-F", config.trim(), "node1"], words, &[env!("CARGO_BIN_EXE_ssh_peer")]].concat();
    Ok(lab.exec("control", &words)?.trim().to_owned())
}

#[test]
fn the_ssh_peer_is_found_with_sshds_variables_and_without_them_as_under_sudo() -> Result<()> {
    let lab = Lab::up()?;
    let told = lab.exec(
        "control",
        &["ssh", "-F", lab.lab("ssh-config", &[])?.trim(), "node1", "printenv SSH_CONNECTION"],
    )?;
    let control = told.split_whitespace().next().unwrap();
    assert_eq!(peer(&lab, &[])?, control);
    let without = ["env", "-u", "SSH_CONNECTION", "-u", "SSH_CLIENT"];
    assert_eq!(peer(&lab, &without)?, control);
    // As with `use_pty` of sudo: a session of its own, and more processes in between.
    assert_eq!(peer(&lab, &[&without[..], &["setsid", "--wait", "timeout", "60"]].concat())?, control);
    assert_eq!(lab.exec("node1", &[env!("CARGO_BIN_EXE_ssh_peer")])?.trim(), "nowhere");
    Ok(())
}
