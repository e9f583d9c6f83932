//! What an option asks of a property: to leave it, to take it away, or to set it.

/// An option that was not given leaves; its word for "none" takes away; anything else sets.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Setting<T> {
    /// The property stays as it is.
    #[default]
    Leave,
    /// The property goes.
    Remove,
    /// The property becomes exactly this.
    Set(T),
}

impl<T> Setting<T> {
    /// What a given option says, where `none` is its word for taking away.
    pub fn new(given: Option<T>, none: &T) -> Self
    where
        T: PartialEq,
    {
        match given {
            None => Self::Leave,
            Some(value) if value == *none => Self::Remove,
            Some(value) => Self::Set(value),
        }
    }

    /// The same with the value checked or turned into another one.
    pub fn try_map<U, E>(self, f: impl FnOnce(T) -> Result<U, E>) -> Result<Setting<U>, E> {
        Ok(match self {
            Self::Leave => Setting::Leave,
            Self::Remove => Setting::Remove,
            Self::Set(value) => Setting::Set(f(value)?),
        })
    }

    /// Calls `put` with the new value, or with nothing to take it away, or not at all.
    pub fn apply(&self, put: impl FnOnce(Option<&T>)) {
        match self {
            Self::Leave => {}
            Self::Remove => put(None),
            Self::Set(value) => put(Some(value)),
        }
    }
}
