//! A channel of a connection: a person's terminal, or a single command. Between the bytes of the one and the lines of
//! `terminal.rs` lie echo, line ends, paging and the password prompt; and what misbehaviour makes of each line.

use std::collections::VecDeque;
use std::fmt::Write as _;

use russh::server::Msg;
use russh::{Channel, ChannelMsg};

use crate::clock;
use crate::editor::{Editor, Key};
use crate::misbehaviour::{End, Verdict};
use crate::pager::{ERASE, MORE, Pager};
use crate::server::Visit;
use crate::terminal::{Answer, Terminal, Then};

/// Rows of a terminal that does not say how many it has.
const ROWS: usize = 24;
const PASSWORD: &str = "Password: ";
/// What stands before a pasted line that is answered.
const PASTED: &str = "> ";

/// The connection is gone, or cut.
struct Gone;

/// Serves a channel until it or its connection ends.
pub async fn serve(mut channel: Channel<Msg>, visit: Visit) {
    let mut rows = None;
    let request = loop {
        match channel.wait().await {
            Some(ChannelMsg::RequestPty { row_height, .. } | ChannelMsg::WindowChange { row_height, .. }) => {
                rows = Some(rows_of(row_height));
            }
            Some(ChannelMsg::RequestShell { .. }) => break None,
            Some(ChannelMsg::Exec { command, .. }) => {
                break Some(String::from_utf8_lossy(&command).into_owned());
            }
            Some(ChannelMsg::Close) | None => return,
            Some(_) => {}
        }
    };
    let mut shell = Shell {
        terminal: visit.terminal(),
        channel,
        visit,
        rows,
        editor: Editor::default(),
        typed: VecDeque::new(),
        shown: Vec::new(),
        waits_for: Waiting::Line,
    };
    let ended = match request {
        None => shell.interact().await,
        Some(command) => shell.execute(&command).await,
    };
    shell.terminal.close();
    if ended.is_ok() {
        // Whoever went away in the meantime needs no farewell.
        let _ = shell.channel.exit_status(0).await;
        let _ = shell.channel.eof().await;
        let _ = shell.channel.close().await;
    }
}

struct Shell {
    channel: Channel<Msg>,
    visit: Visit,
    terminal: Terminal,
    /// None: there is no terminal at the other end, so nothing is echoed or paged.
    rows: Option<usize>,
    editor: Editor,
    /// Bytes that came and were not looked at yet.
    typed: VecDeque<u8>,
    /// What is to be sent.
    shown: Vec<u8>,
    waits_for: Waiting,
}

enum Waiting {
    Line,
    Password,
    More(Pager, Then),
    /// For the end of what is pasted: what its lines were answered so far.
    Paste(String),
    /// For the connection to be closed.
    Nothing,
}

impl Shell {
    /// Login to logout.
    async fn interact(&mut self) -> Result<(), Gone> {
        let greeting = self.visit.greet(&clock::long(self.visit.host.switch.now()));
        self.show(&greeting);
        self.show_prompt();
        loop {
            while let Some(byte) = self.typed.pop_front() {
                self.key(byte).await?;
                if matches!(self.waits_for, Waiting::Nothing) {
                    return self.send().await;
                }
            }
            self.send().await?;
            match self.channel.wait().await {
                Some(ChannelMsg::Data { data }) => self.typed.extend(data.iter()),
                Some(ChannelMsg::WindowChange { row_height, .. }) => self.rows = Some(rows_of(row_height)),
                Some(ChannelMsg::Eof) => return Ok(()),
                Some(ChannelMsg::Close) | None => return Err(Gone),
                Some(_) => {}
            }
        }
    }

    /// One command, without echo and prompt.
    async fn execute(&mut self, command: &str) -> Result<(), Gone> {
        let verdict = self.visit.host.misbehaviour.line(self.visit.number, command);
        let answer = self.answer(verdict, |terminal| terminal.line(command)).await?;
        self.show(&answer.text);
        self.send().await
    }

    async fn key(&mut self, byte: u8) -> Result<(), Gone> {
        match std::mem::replace(&mut self.waits_for, Waiting::Line) {
            Waiting::More(pager, then) => {
                let (text, rest) = pager.key(byte);
                self.show(ERASE);
                self.show_page(&text, rest, then);
                Ok(())
            }
            Waiting::Password => {
                self.waits_for = Waiting::Password;
                match self.editor.key(byte, true) {
                    Key::Line(text) => self.password(&text).await,
                    Key::Interrupt | Key::End | Key::Logout => self.password("").await,
                    Key::Echo(_) | Key::Help => Ok(()),
                }
            }
            Waiting::Paste(answers) => self.paste(byte, answers).await,
            Waiting::Line => match self.editor.key(byte, false) {
                Key::Line(line) => {
                    self.show("\n");
                    self.line(&line).await
                }
                Key::End => {
                    self.echo(b"^Z");
                    self.show("\n");
                    self.line("end").await
                }
                Key::Echo(bytes) => {
                    self.echo(&bytes);
                    Ok(())
                }
                Key::Interrupt => {
                    self.echo(b"^C");
                    self.show("\n");
                    self.show_prompt();
                    Ok(())
                }
                Key::Help => {
                    self.echo(b"?");
                    self.show("\n% Unrecognized command\n");
                    self.show_prompt();
                    let typed = self.editor.typed().to_vec();
                    self.echo(&typed);
                    Ok(())
                }
                Key::Logout => {
                    self.waits_for = Waiting::Nothing;
                    Ok(())
                }
            },
            Waiting::Nothing => Ok(()),
        }
    }

    async fn line(&mut self, line: &str) -> Result<(), Gone> {
        let verdict = self.visit.host.misbehaviour.line(self.visit.number, line);
        let answer = self.answer(verdict, |terminal| terminal.line(line)).await?;
        self.show_answer(answer);
        Ok(())
    }

    /// Takes a byte of what is pasted: configuration, of which `end` is no command.
    async fn paste(&mut self, byte: u8, mut answers: String) -> Result<(), Gone> {
        match self.editor.key(byte, true) {
            Key::Line(line) => {
                self.show("\n");
                let verdict = self.visit.host.misbehaviour.line(self.visit.number, &line);
                let act = |terminal: &mut Terminal| match line.trim() {
                    "end" => Answer::text(""),
                    line => terminal.line(line),
                };
                let answer = self.answer(verdict, act).await?;
                if !answer.text.is_empty() {
                    let _ = write!(answers, "{PASTED}{}\n{}", line.trim(), answer.text);
                }
                self.waits_for = Waiting::Paste(answers);
            }
            Key::Logout | Key::Interrupt | Key::End => {
                let end = self.terminal.pasted();
                self.show_answer(Answer { text: answers + &end.text, then: end.then });
            }
            Key::Echo(_) | Key::Help => {
                self.echo(&[byte]);
                self.waits_for = Waiting::Paste(answers);
            }
        }
        Ok(())
    }

    async fn password(&mut self, text: &str) -> Result<(), Gone> {
        self.show("\n");
        let verdict = self.visit.host.misbehaviour.password(self.visit.number);
        let answer = self.answer(verdict, |terminal| terminal.password(text)).await?;
        self.show_answer(answer);
        Ok(())
    }

    /// What a line answers, once the echo of the line is sent and as far as the verdict lets it.
    async fn answer(
        &mut self,
        verdict: Verdict,
        act: impl FnOnce(&mut Terminal) -> Answer,
    ) -> Result<Answer, Gone> {
        self.send().await?;
        if verdict.end == Some(End::DropBefore) {
            return self.cut();
        }
        let answer = match verdict.instead {
            Some(text) if text.is_empty() => Answer { text, then: Then::Prompt },
            Some(text) => Answer { text: text + "\n", then: Then::Prompt },
            // The data plane may take a moment; other connections go on meanwhile.
            None => tokio::task::block_in_place(|| {
                let answer = act(&mut self.terminal);
                self.visit.host.settle();
                answer
            }),
        };
        if !verdict.delay.is_zero() {
            tokio::time::sleep(verdict.delay).await;
        }
        match verdict.end {
            Some(End::DropAfter) => self.cut(),
            Some(End::HangAfter) => self.hang().await,
            Some(End::DropBefore) | None => Ok(answer),
        }
    }

    fn cut<T>(&self) -> Result<T, Gone> {
        self.visit.cut();
        Err(Gone)
    }

    /// Listens without a word until the other end gives up.
    async fn hang<T>(&mut self) -> Result<T, Gone> {
        while self.channel.wait().await.is_some_and(|message| !matches!(message, ChannelMsg::Close)) {}
        Err(Gone)
    }

    fn show_answer(&mut self, answer: Answer) {
        let page = self.rows.and_then(|rows| self.terminal.page_length(rows));
        let (text, rest) = Pager::begin(answer.text, page);
        self.show_page(&text, rest, answer.then);
    }

    fn show_page(&mut self, text: &str, rest: Option<Pager>, then: Then) {
        self.show(text);
        match (rest, then) {
            (Some(rest), then) => {
                self.show(MORE);
                self.waits_for = Waiting::More(rest, then);
            }
            (None, Then::Prompt) => self.show_prompt(),
            (None, Then::Password) => {
                self.show(PASSWORD);
                self.waits_for = Waiting::Password;
            }
            (None, Then::Paste) => self.waits_for = Waiting::Paste(String::new()),
            (None, Then::Close) => self.waits_for = Waiting::Nothing,
        }
    }

    fn show_prompt(&mut self) {
        let prompt = self.terminal.prompt();
        self.show(&prompt);
        self.waits_for = Waiting::Line;
    }

    /// Puts text on the screen. A terminal needs a carriage return at each line end.
    fn show(&mut self, text: &str) {
        match self.rows {
            Some(_) => self.shown.extend(text.replace('\n', "\r\n").bytes()),
            None => self.shown.extend(text.bytes()),
        }
    }

    /// Puts what was typed on the screen.
    fn echo(&mut self, bytes: &[u8]) {
        if self.rows.is_some() {
            self.shown.extend(bytes);
        }
    }

    async fn send(&mut self) -> Result<(), Gone> {
        if self.shown.is_empty() {
            return Ok(());
        }
        self.channel.data_bytes(std::mem::take(&mut self.shown)).await.map_err(|_| Gone)
    }
}

fn rows_of(height: u32) -> usize {
    usize::try_from(height).ok().filter(|rows| *rows > 0).unwrap_or(ROWS)
}
