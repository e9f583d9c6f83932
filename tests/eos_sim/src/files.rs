//! Files in flash: copies of the configuration, and going back to one of them.

use std::fmt::Write as _;

use crate::config::Config;
use crate::state::State;

/// What every copy ends with.
pub const COPIED: &str = "Copy completed successfully.";
/// What `copy terminal:` asks for.
pub const PASTE: &str = "enter input line by line; when done enter one or more control-d";

impl State {
    /// `copy running-config flash:X`, `copy startup-config flash:X`.
    ///
    /// # Errors
    /// The error line, where it is to go elsewhere.
    pub fn copy_to_file(&mut self, from: &str, to: &str) -> Result<(), String> {
        let name = in_flash(to)?.to_owned();
        let text =
            if from == "startup-config" { self.startup.clone() } else { self.text(&self.running, false) };
        self.files.insert(name, text);
        Ok(())
    }

    /// `configure replace X`: the running-config becomes what stands there.
    ///
    /// # Errors
    /// The error line, where there is no such file or a commit timer runs.
    pub fn replace(&mut self, from: &str) -> Result<(), String> {
        self.sessions.may_commit(None)?;
        let text = match from {
            "startup-config" => Some(&self.startup),
            file => self.files.get(in_flash(file)?),
        };
        let text = text.ok_or_else(|| format!("% Error opening {from} (No such file or directory)"))?;
        let mut config = Config { lacp_rate: self.running.lacp_rate, ..Config::parse(text) };
        config.enter(&self.ports.iter().cloned().collect::<Vec<_>>());
        self.running = config;
        Ok(())
    }

    /// `dir all-filesystems`.
    pub fn directory(&self) -> String {
        let mut text = "Directory of flash:/\n\n".to_owned();
        let startup = ("startup-config", &self.startup);
        let files = self.files.iter().map(|(name, text)| (name.as_str(), text));
        for (name, content) in files.chain([startup]) {
            let _ = writeln!(text, "       -rw-  {:>10}            Jan  1 00:00  {name}", content.len());
        }
        text + "\n3516887040 bytes total (2886742016 bytes free)\n"
    }
}

/// The name of a file in flash.
fn in_flash(path: &str) -> Result<&str, String> {
    let name = path.strip_prefix("flash:").map(|name| name.trim_start_matches('/'));
    name.filter(|name| !name.is_empty()).ok_or_else(|| "% Invalid input".to_owned())
}
