//! The switch and how far a change on it has come. What a task means is in `port_channel.rs`, in which order things
//! happen in `device.rs`, and how a line is typed in `dialog.rs`.

use std::collections::BTreeSet;
use std::time::Duration;

use ansible_module::context::Context;
use ansible_module::converge::{self, Prepared, Target};
use ansible_module::fault::{Fault, Step};
use ansible_module::lock::Lock;
use ansible_module::outcome::{Ended, Failure};
use serde::Deserialize;
use serde_json::Value;

use crate::change::{Change, changes, lines};
use crate::claim::{Claims, Purpose};
use crate::config::Config;
use crate::confirmation::Confirmation;
use crate::dialog::{Dialog, Error};
use crate::draft::{self, Draft, Verdict};
use crate::login::{Login, Secret};
use crate::note::Note;
use crate::picture::{NOT_SAVED, Picture, SaveWhen};
use crate::reach::Reach;
use crate::state::State;
use crate::surroundings::{PAUSE, Pending};
use crate::turn::{self, Turn};
use crate::window::Window;

/// What a task wants to come of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize)]
pub enum Aim {
    /// A change that is confirmed.
    #[serde(rename = "now")]
    Final,
    /// One that waits to be confirmed by a later run.
    #[serde(rename = "later")]
    Provisional,
    /// That none of ours waits any more.
    #[serde(skip)]
    Discard,
}

/// How a task wants it done.
#[derive(Debug)]
pub struct Manner {
    /// What is to come of it.
    pub aim: Aim,
    /// The Port-Channels that the task is about.
    pub channels: BTreeSet<String>,
    /// Within what time the change is confirmed, or undone by the switch; none commits at once.
    pub confirm_within: Option<Duration>,
    /// Whether check mode asks the switch.
    pub check_on_box: bool,
    /// How long others are waited for.
    pub lock_timeout: Duration,
    /// How long LACP is waited for on every member; zero is not at all.
    pub wait_for_lacp: Duration,
    /// What is saved.
    pub save_when: SaveWhen,
    /// How the switch is reached.
    pub login: Login,
    /// What `enable` asks for.
    pub enable_password: Option<Secret>,
}

/// How far the change has come.
#[derive(Debug)]
pub(crate) enum Progress {
    /// Nothing of ours is on the switch.
    Nothing,
    /// A change of ours whose run is gone, or about to be, waits to be confirmed in this session.
    Inherited {
        /// The session.
        session: String,
        /// What that run noted.
        note: Note,
        /// When the switch undoes it, where that is told.
        window: Option<Window>,
    },
    /// A session of ours is open, and nothing live.
    Drafted(Draft),
    /// Its commit was typed. Whether it came true is only known by reading.
    Committed(Draft, Option<Window>),
    /// It was undone, as far as the switch says.
    Undone,
    /// The switch was told to undo what waited in this session. Whether it has is only known by reading.
    Discarding {
        /// The session.
        session: String,
        /// When the switch does so by itself, where that is told.
        window: Option<Window>,
    },
    /// What there is stays, and may be saved.
    Final,
}

/// The switch.
pub struct Switch<'a> {
    pub(crate) module: &'static str,
    pub(crate) context: &'a Context,
    pub(crate) aim: Aim,
    pub(crate) channels: BTreeSet<String>,
    pub(crate) confirm_within: Option<Duration>,
    pub(crate) check_on_box: bool,
    pub(crate) lock_timeout: Duration,
    pub(crate) wait_for_lacp: Duration,
    pub(crate) save_when: SaveWhen,
    pub(crate) host: String,
    pub(crate) port: u16,
    /// How long a step may take.
    pub(crate) limit: Duration,
    pub(crate) reach: Reach,
    pub(crate) claims: Option<Claims>,
    pub(crate) lock: Option<Lock>,
    pub(crate) progress: Progress,
    /// When others were waited for long enough.
    pub(crate) patience_ends: Duration,
    /// A confirmation was typed, and what became of it is not known: the switch may no longer undo the change.
    pub(crate) is_confirming: bool,
    /// A change that is none of the task's business and waits to be confirmed, as last seen.
    pub(crate) pending: Option<Pending>,
    /// The session of an earlier run of the task that was left to be confirmed and is over.
    pub(crate) lapsed: Option<String>,
    /// A session that another run is at work in, as last seen.
    pub(crate) other_run: Option<String>,
    /// The running-config as last read.
    pub(crate) running: Config,
    /// The same as first read after the commit.
    pub(crate) read_back: Option<Config>,
    /// What has to be there when the change is confirmed.
    pub(crate) wanted: State,
    pub(crate) commands: Vec<String>,
    pub(crate) diff: Option<Value>,
    pub(crate) notices: Vec<String>,
}

/// Runs a module: arguments first, then the switch.
pub fn converge<D>(
    module: &'static str,
    context: &Context,
    desired: impl FnOnce() -> Result<(D, Manner), Fault>,
    target: impl Fn(&D, &Picture) -> Result<Target<State>, Fault>,
) -> Ended {
    let (desired, manner) = desired().map_err(|fault| Failure::untouched(Step::Arguments, fault))?;
    let mut switch = Switch::new(module, context, manner);
    converge::converge(&mut switch, |picture| target(&desired, picture), context)
}

impl<'a> Switch<'a> {
    fn new(module: &'static str, context: &'a Context, manner: Manner) -> Self {
        let Manner {
            aim,
            channels,
            confirm_within,
            check_on_box,
            lock_timeout,
            wait_for_lacp,
            save_when,
            login,
            enable_password,
        } = manner;
        Self {
            module,
            context,
            aim,
            channels,
            confirm_within,
            check_on_box,
            lock_timeout,
            wait_for_lacp,
            save_when,
            host: login.host.clone(),
            port: login.port,
            limit: login.timeout,
            reach: Reach::new(login, enable_password),
            claims: None,
            lock: None,
            progress: Progress::Nothing,
            patience_ends: context.clock.now() + lock_timeout,
            is_confirming: false,
            pending: None,
            lapsed: None,
            other_run: None,
            running: Config::default(),
            read_back: None,
            wanted: State::default(),
            commands: Vec::new(),
            diff: None,
            notices: Vec::new(),
        }
    }

    pub(crate) fn claims(&mut self) -> Result<&Claims, Fault> {
        let claims = match self.claims.take() {
            Some(claims) => claims,
            None => Claims::open().map_err(|error| Fault::from_error("state_folder", &error))?,
        };
        Ok(self.claims.insert(claims))
    }

    /// Types the lines in a session of ours, and has the switch say what they would change.
    pub(crate) fn draft(&mut self, changes: &[Change]) -> Result<Prepared, Fault> {
        let context = self.context;
        let (verdict, warnings) = self.fill(changes, &|| context.stop_if_interrupted())?;
        self.notices.extend(warnings);
        let busy = match verdict {
            Verdict::Differs(diff) => {
                self.diff = Some(diff);
                return Ok(Prepared::Ready);
            }
            Verdict::Same => return Ok(Prepared::Same),
            Verdict::Spreads(others) => return Err(draft::touches_others(&others)),
            Verdict::Busy(fault) => fault,
            Verdict::Moved => draft::moves(),
        };
        self.wait_for_others(|| busy)?;
        Ok(Prepared::Moved)
    }

    fn fill(
        &mut self,
        changes: &[Change],
        stop: &dyn Fn() -> Result<(), Fault>,
    ) -> Result<(Verdict, Vec<String>), Fault> {
        let lines = lines(changes, self.running.dialect());
        let waits = self.aim == Aim::Provisional;
        let note = Note::of(self.switch(), self.channels.clone(), waits, changes, &self.running);
        let text =
            note.text().map_err(|error| Fault::new("internal", format!("noting the change: {error}")))?;
        let purpose = if self.context.check_mode { Purpose::Rehearsal } else { Purpose::Change };
        let claim = self.claims()?.claim(purpose, &text);
        let claim = claim.map_err(|error| Fault::from_error("state_folder", &error))?;
        let draft = Draft::new(claim, note);
        let filled = self.fill_and_judge(&draft, &lines, changes, stop);
        // Whatever came of it, there may be a session now.
        self.progress = Progress::Drafted(draft);
        filled
    }

    fn fill_and_judge(
        &mut self,
        draft: &Draft,
        lines: &[String],
        changes: &[Change],
        stop: &dyn Fn() -> Result<(), Fault>,
    ) -> Result<(Verdict, Vec<String>), Fault> {
        let warnings = match draft.fill(&mut self.reach, lines, stop)? {
            Err(verdict) => return Ok((verdict, Vec::new())),
            Ok(warnings) => warnings,
        };
        // What is not committed is in nobody's way.
        while !self.context.check_mode {
            match draft.turn(&mut self.reach)? {
                Turn::Ours => break,
                Turn::Theirs(session) => return Ok((Verdict::Busy(turn::is_taken(&session)), warnings)),
                Turn::TheyGiveWay(session) => self.wait_for_others(|| turn::is_taken(&session))?,
            }
        }
        Ok((draft.judge(&mut self.reach, changes, &self.running)?, warnings))
    }

    /// Throws the session away. A session that stays behind changes nothing, and the next run finds it.
    pub(crate) fn discard(&mut self) {
        if let Progress::Drafted(draft) = std::mem::replace(&mut self.progress, Progress::Nothing)
            && let Err(error) = draft.discard(&mut self.reach)
        {
            self.tell_left(draft.session(), error);
        }
    }

    pub(crate) fn tell_left(&mut self, session: &str, error: Error) {
        self.notices.push(format!(
            "the configuration session {session} is left, and changes nothing: {}; the next run aborts it",
            Fault::from(error).message
        ));
    }

    /// What a change comes to in lines, for `commands`.
    pub(crate) fn note(&mut self, changes: &[Change]) {
        self.commands = match changes.first() {
            // All the others come from it.
            Some(Change::Discard(session)) => vec![Dialog::abort_line(session)],
            _ => lines(changes, self.running.dialect()),
        };
        if changes.contains(&Change::Save) {
            self.commands.push(Dialog::SAVE.to_owned());
        }
    }

    /// Until when the switch is tried to be reached.
    pub(crate) fn last_attempt(&self) -> Duration {
        match &self.progress {
            Progress::Committed(_, Some(window)) => window.last_attempt(),
            _ => self.time_for_two(self.context.clock.now()),
        }
    }

    /// Until when a step that begins at `from` has time to get no answer and be done again.
    fn time_for_two(&self, from: Duration) -> Duration {
        from + 2 * self.limit
    }

    /// What the running-config, as last read, lacks of `wanted`.
    fn left(&self, wanted: &State) -> Vec<Change> {
        let wanted = State { saved: None, ..wanted.clone() };
        changes(&Self::of_ours(&self.running, &wanted), &wanted)
    }

    /// What `running` has of what is in `like`, saved or not.
    fn of_ours(running: &Config, like: &State) -> State {
        let (running, startup) = (running.clone(), Config::default());
        let picture = Picture { running, startup, save_when: SaveWhen::Never, unconfirmed: None };
        State::found(&picture, &State { saved: None, ..like.clone() })
    }

    /// What was committed without a timer is undone by lines of our own.
    pub(crate) fn commit_way_back(&mut self, before: &State) -> Result<(), Fault> {
        let patience_ends = self.context.clock.now() + self.lock_timeout;
        loop {
            let ended = self.try_way_back(before);
            self.discard();
            let Some(busy) = ended? else { return Ok(()) };
            // A run that was asked to stop goes back all the same.
            if self.context.clock.now() >= patience_ends {
                return Err(busy);
            }
            self.context.clock.sleep(PAUSE);
        }
    }

    /// None where it was gone; what to wait for otherwise.
    fn try_way_back(&mut self, before: &State) -> Result<Option<Fault>, Fault> {
        self.running = Config::parse(&self.reach.with(Dialog::running)?);
        if let Some(kept) = &self.read_back
            && Self::of_ours(kept, before) != Self::of_ours(&self.running, before)
        {
            return Err(Fault::new(
                "changed_meanwhile",
                "going back: somebody else changed the same interfaces after the commit; hint: theirs stays, look at it and run again",
            ));
        }
        let back = self.left(before);
        match self.fill(&back, &|| Ok(()))?.0 {
            Verdict::Differs(_) => self.reach.with(|dialog| dialog.commit(None))?,
            Verdict::Same => {}
            Verdict::Spreads(others) => return Err(draft::touches_others(&others)),
            Verdict::Busy(fault) => return Ok(Some(fault)),
            Verdict::Moved => return Ok(Some(draft::moves())),
        }
        Ok(None)
    }

    /// Saves what is final.
    pub(crate) fn save(&mut self, after: &State) -> Result<(), Fault> {
        // Last of all what would be saved: others may be at work.
        let (deadline, context) = (self.last_attempt(), self.context);
        let startup = self.reach.insist(deadline, context, Dialog::startup)?;
        let running = self.reach.insist(deadline, context, Dialog::running)?;
        let (running, startup) = (Config::parse(&running), Config::parse(&startup));
        let mut picture = Picture { running, startup, save_when: self.save_when, unconfirmed: None };
        if picture.is_saved(after) {
            return Ok(());
        }
        if self.save_when != SaveWhen::Always && picture.has_unsaved_of_others(after) {
            // They came after it was planned: until then it was promised to be saved.
            return Err(Fault::new("not_saved", NOT_SAVED));
        }
        self.reach.insist(deadline, context, Dialog::save)?;
        picture.startup = Config::parse(&self.reach.insist(deadline, context, Dialog::startup)?);
        if picture.is_saved(after) {
            return Ok(());
        }
        Err(Fault::new("not_saved", "saving the running-config: the startup-config does not hold the change"))
    }

    /// The session whose timer runs, as far as we know.
    pub(crate) fn timer(&self) -> Option<(&str, Option<&Window>)> {
        match &self.progress {
            Progress::Inherited { session, window, .. } | Progress::Discarding { session, window } => {
                Some((session, window.as_ref()))
            }
            Progress::Committed(draft, Some(window)) => Some((draft.session(), Some(window))),
            _ => None,
        }
    }

    /// Until when it is tried to learn what became of a change: the network, too, needs a moment after it was undone.
    pub(crate) fn verdict_by(&self) -> Duration {
        let window = self.timer().and_then(|(_, window)| window);
        self.time_for_two(window.map_or_else(|| self.context.clock.now(), Window::is_over_at))
    }

    /// Confirms the session whose timer runs. What counts is that the timer is gone and the change still there.
    pub(crate) fn confirm(&mut self) -> Result<(), Fault> {
        let Some((session, window)) = self.timer() else { return Ok(()) };
        let (session, window) = (session.to_owned(), window.cloned());
        let failed = |fact: &str| {
            let hint = "was the time to confirm it, `confirm_within`, too short?";
            Fault::new("confirm_failed", format!("confirming session {session}: {fact}; hint: {hint}"))
        };
        let deadline = window.as_ref().map_or_else(|| self.last_attempt(), Window::last_attempt);
        if self.context.clock.now() >= deadline {
            return Err(failed("it was read back only when the switch was about to undo it"));
        }
        let context = self.context;
        let mut confirmation = Confirmation::of(&session);
        let mut found = self.reach.insist(deadline, context, |dialog| confirmation.give(dialog));
        self.is_confirming = confirmation.is_typed();
        let is_late = context.clock.now() >= deadline;
        if self.is_confirming && (found.is_err() || is_late && confirmation.is_refused()) {
            if let (true, Some(window)) = (is_late, &window) {
                // A switch that is just undoing the change still shows it.
                context.clock.sleep(window.is_over_at().saturating_sub(context.clock.now()));
            }
            found = self.reach.insist(self.verdict_by(), context, |dialog| confirmation.look(dialog));
        }
        let found = match found {
            Err(fault) if self.is_confirming => return Err(confirmation.unanswered(&fault)),
            found => found?,
        };
        self.is_confirming = false;
        let Some(running) = found else { return Err(confirmation.refused()) };
        self.running = Config::parse(&running);
        if !self.left(&self.wanted).is_empty() {
            return Err(failed("the change is not there any more"));
        }
        self.claims()?.forget(&session);
        self.progress = Progress::Final;
        Ok(())
    }
}
