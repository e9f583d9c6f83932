//! Every path, command and time limit that a module uses, in one place, so that tests can point them elsewhere.
