//! The interfaces(5) file, read and edited without touching a byte that is not asked for.
