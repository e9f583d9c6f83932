//! The lab as a test sees it: nodes that come up for one test and are gone after it, modules run on them, and
//! what is there seen from outside – with `ovs-vsctl`, `ip` and `cat`, never with the modules' own code.

#![allow(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    clippy::panic,
    reason = "the tests fail by panicking"
)]

pub mod begun;
pub mod bond;
pub mod guard;
pub mod link;
pub mod plain_nic;
pub mod playbook;
pub mod probe;
pub mod soak;
pub mod switch;
pub mod uplink;
pub mod witness;

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Output, Stdio};
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::{Duration, Instant};

use anyhow::{Context, Result, bail, ensure};
use serde_json::Value;

/// A lab with its nodes `node1` and `node2`, cabled to each other or to a switch. Gone when dropped.
#[derive(Debug)]
pub struct Lab {
    prefix: String,
}

/// What a module answered.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Exit status.
    pub status: i32,
    /// The one object that it printed.
    pub result: Value,
}

impl Answer {
    /// `changed` of a success; a failure is an error that tells its message.
    pub fn changed(&self) -> Result<bool> {
        ensure!(self.status == 0, "the module failed: {:#}", self.result);
        self.result["changed"].as_bool().context("`changed` is not a boolean")
    }

    /// `error.code` and `outcome` of a failure; a success is an error.
    pub fn failure(&self) -> Result<(&str, &str)> {
        ensure!(
            self.status == 1 && self.result["failed"] == true,
            "the module did not fail: {:#}",
            self.result
        );
        let code = self.result["error"]["code"].as_str().context("no `error.code`")?;
        Ok((code, self.result["outcome"].as_str().context("no `outcome`")?))
    }

    /// The message of a failure.
    pub fn message(&self) -> &str {
        self.result["msg"].as_str().unwrap_or_default()
    }
}

impl Lab {
    /// Brings up two nodes with Open vSwitch running.
    pub fn up() -> Result<Self> {
        Self::up_with(&[])
    }

    /// Brings up two nodes, with further arguments of `lab up` such as `--no-ovs`.
    pub fn up_with(arguments: &[&str]) -> Result<Self> {
        static COUNT: AtomicU32 = AtomicU32::new(0);
        let lab =
            Self { prefix: format!("t{}x{}", std::process::id(), COUNT.fetch_add(1, Ordering::Relaxed)) };
        let output = lab.command("up").args(arguments).output().context("starting the lab")?;
        ensure!(output.status.success(), "lab up failed: {}", told(&output));
        Ok(lab)
    }

    /// By which `tests/lab/lab` knows it.
    pub fn prefix(&self) -> &str {
        &self.prefix
    }

    /// The project's folder.
    pub fn project() -> PathBuf {
        Path::new(env!("CARGO_MANIFEST_DIR")).join("../..").canonicalize().unwrap_or_default()
    }

    /// The built module's path, the same inside of the nodes.
    pub fn module_path(module: &str) -> PathBuf {
        Self::project().join("library").join(module)
    }

    /// `tests/lab/lab --prefix PREFIX SUBCOMMAND`.
    pub fn command(&self, subcommand: &str) -> Command {
        let mut command = Command::new(Path::new(env!("CARGO_MANIFEST_DIR")).join("lab"));
        command.args(["--prefix", &self.prefix, subcommand]).stdin(Stdio::null());
        command
    }

    /// A subcommand of the lab that must succeed, such as `stop-ovs node1`; its standard output.
    pub fn lab(&self, subcommand: &str, arguments: &[&str]) -> Result<String> {
        succeed(self.command(subcommand).args(arguments))
    }

    /// The command that runs `words` in `node1`, `node2`, `control` or a guest.
    pub fn exec_command(&self, name: &str, words: &[&str]) -> Command {
        let mut command = self.command("exec");
        command.arg(name).args(words);
        command
    }

    /// Runs `words` there; they must succeed. Standard output.
    pub fn exec(&self, name: &str, words: &[&str]) -> Result<String> {
        succeed(&mut self.exec_command(name, words))
    }

    /// Runs a shell script there; it must succeed. Standard output.
    pub fn sh(&self, name: &str, script: &str) -> Result<String> {
        self.exec(name, &["sh", "-ec", script])
    }

    /// Waits until `name` gets an answer from an address; a neighbour that knows an old MAC address asks again after a while.
    /// `options` are ping(8)'s.
    pub fn wait_for_answer(&self, name: &str, options: &[&str], address: &str) -> Result<()> {
        let ping = [&["ping", "-c", "1", "-W", "1"], options, &[address]].concat();
        wait_until(&format!("{address} to answer {name}"), Duration::from_secs(60), || {
            Ok(self.exec_command(name, &ping).output()?.status.success().then_some(()))
        })
    }

    /// Writes a file in a node.
    pub fn write(&self, node: &str, path: &str, text: &str) -> Result<()> {
        let mut child = self
            .exec_command(node, &["tee", path])
            .stdin(Stdio::piped())
            .stdout(Stdio::null())
            .spawn()
            .context("starting tee")?;
        child.stdin.take().context("tee has no input")?.write_all(text.as_bytes())?;
        ensure!(child.wait()?.success(), "writing {path} in {node} failed");
        Ok(())
    }

    /// A file's text in a node.
    pub fn read(&self, node: &str, path: &str) -> Result<String> {
        self.exec(node, &["cat", path])
    }

    /// Runs a module in a node, or in `control`, with its arguments on standard input.
    pub fn module(&self, node: &str, module: &str, arguments: &Value) -> Result<Answer> {
        self.module_with(node, &[], module, arguments)
    }

    /// The same in check mode with diff.
    pub fn check(&self, node: &str, module: &str, arguments: &Value) -> Result<Answer> {
        let mut arguments = arguments.clone();
        arguments["_ansible_check_mode"] = true.into();
        arguments["_ansible_diff"] = true.into();
        self.module(node, module, &arguments)
    }

    /// The same with settings of its environment, such as `BOTHENDS_IFRELOAD=/bin/false`.
    pub fn module_with(
        &self,
        node: &str,
        environment: &[&str],
        module: &str,
        arguments: &Value,
    ) -> Result<Answer> {
        answer(&self.start_module(node, environment, module, arguments)?.wait_with_output()?)
    }

    /// Starts a module and does not wait for it.
    pub fn start_module(
        &self,
        node: &str,
        environment: &[&str],
        module: &str,
        arguments: &Value,
    ) -> Result<Child> {
        let path = Self::module_path(module);
        let path = path.to_str().context("the project's path is not UTF-8")?;
        let words: Vec<&str> = ["env"].iter().chain(environment).copied().chain([path, "-"]).collect();
        let mut child = self
            .exec_command(node, &words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .with_context(|| format!("starting {path}; hint: `make build`"))?;
        let mut input = child.stdin.take().context("the module has no input")?;
        input.write_all(arguments.to_string().as_bytes())?;
        Ok(child)
    }

    /// Everything of a node that a module could touch, as text that can be compared: files with owner, mode and
    /// time of change, the whole of Open vSwitch's database as configured, links, addresses, routes, locks,
    /// checkpoints. What the kernel does by itself, such as finding a carrier, is no part of it.
    pub fn snapshot(&self, node: &str) -> Result<String> {
        self.sh(
            node,
            "find /etc/network /run/bothends /var/lib/bothends /run/network -printf '%p %U %m %s %T@ %l\\n' 2>/dev/null | sort || true
             find /etc/network /var/lib/bothends -type f -exec sha256sum {} + | sort
             if [ -S /run/openvswitch/db.sock ]; then
               ovsdb-client dump unix:/run/openvswitch/db.sock Open_vSwitch Bridge name ports datapath_type other_config external_ids
               ovsdb-client dump unix:/run/openvswitch/db.sock Open_vSwitch Port name interfaces bond_mode lacp tag trunks vlan_mode bond_updelay bond_downdelay other_config external_ids
               ovsdb-client dump unix:/run/openvswitch/db.sock Open_vSwitch Interface name type mtu_request other_config error
               ovs-vsctl --columns=next_cfg,cur_cfg list Open_vSwitch
             fi
             cd /sys/class/net; grep . */ifindex */flags */address */mtu
             ip -oneline address show scope global; ip route; ip -6 route | grep -v ^fe80 || true",
        )
    }

    /// What a node is set to – the file, Open vSwitch, links, addresses, routes – without what is made anew with an
    /// object or changes by itself: times, UUIDs, MACs. And what a run leaves only if something went wrong:
    /// checkpoints, other files, locks. What became of the last change is kept on purpose, and is no part of it.
    pub fn configuration(&self, node: &str) -> Result<String> {
        self.sh(
            node,
            "list() { ovs-vsctl --timeout=10 --format=csv --data=bare --no-headings --columns=\"$2\" list \"$1\" | sort; }
             cat /etc/network/interfaces
             # Proxmox's lock file is made by whoever is first and stays.
             find /etc/network ! -name .pve-interfaces.lock -printf '%p %U %m %l\\n' | sort
             (cd /var/lib/bothends; find . -mindepth 1 \\( -path ./verdict.json -o -path ./previous -o -path ./undone \\) -prune -o -print)
             for lock in /run/bothends/node.lock /etc/network/.pve-interfaces.lock; do
               [ ! -e $lock ] || flock --nonblock $lock true || echo \"$lock is held\"
             done
             ovs-vsctl --timeout=10 show | awk '/ Bridge /{bridge=$2} / Port /{port=$2} / Interface /{print bridge, port, $2}' | sort
             list Bridge name,datapath_type,stp_enable,rstp_enable,mcast_snooping_enable,other_config,external_ids
             list Port name,bond_mode,lacp,tag,trunks,vlan_mode,bond_updelay,bond_downdelay,other_config,external_ids
             list Interface name,type,mtu_request,other_config,external_ids
             ip -oneline link show up | cut -d : -f 2 | sort
             ip -4 -oneline address | tr -s ' ' | cut -d ' ' -f 2-4 | sort
             ip -4 route | sort",
        )
    }

    /// A value of Open vSwitch, such as `get Port bond0 tag`.
    pub fn vsctl(&self, node: &str, words: &[&str]) -> Result<String> {
        let words: Vec<&str> = ["ovs-vsctl", "--timeout=10"].iter().chain(words).copied().collect();
        Ok(self.exec(node, &words)?.trim().to_owned())
    }
}

impl Drop for Lab {
    fn drop(&mut self) {
        // A lab that stays behind is told by the next `lab status`; a panic here would hide the test's own.
        let _ = self.command("down").output();
    }
}

/// Waits until `look` finds something.
pub fn wait_until<T>(what: &str, limit: Duration, mut look: impl FnMut() -> Result<Option<T>>) -> Result<T> {
    let deadline = Instant::now() + limit;
    loop {
        if let Some(found) = look()? {
            return Ok(found);
        }
        if Instant::now() >= deadline {
            bail!("waited {limit:?} in vain for {what}");
        }
        thread::sleep(Duration::from_millis(100));
    }
}

/// Reads what a module printed: exactly one JSON object on standard output, nothing on standard error.
pub fn answer(output: &Output) -> Result<Answer> {
    let result: Value = serde_json::from_slice(&output.stdout)
        .with_context(|| format!("not one JSON object: {}", told(output)))?;
    ensure!(result.is_object() && output.stderr.is_empty(), "not one JSON object alone: {}", told(output));
    Ok(Answer { status: output.status.code().context("ended by a signal")?, result })
}

fn succeed(command: &mut Command) -> Result<String> {
    let output = command.output().with_context(|| format!("starting {command:?}"))?;
    ensure!(output.status.success(), "{command:?} failed: {}", told(&output));
    Ok(String::from_utf8_lossy(&output.stdout).into_owned())
}

fn told(output: &Output) -> String {
    format!(
        "{}\n{}{}",
        output.status,
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}
