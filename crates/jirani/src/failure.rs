//! How a command ends when it does not end well.

use std::fmt;

/// What is printed, in one line, and the exit code.
#[derive(Debug)]
pub enum Failure {
    /// It ran, and something is wrong: exit code 1.
    Run(anyhow::Error),
    /// It could not start: exit code 2.
    Start(anyhow::Error),
}

impl Failure {
    /// 1 or 2.
    pub fn exit_code(&self) -> u8 {
        match self {
            Self::Run(_) => 1,
            Self::Start(_) => 2,
        }
    }

    /// It could not start.
    pub fn start(error: impl Into<anyhow::Error>) -> Self {
        Self::Start(error.into())
    }

    /// It ran, and something is wrong.
    pub fn run(error: impl Into<anyhow::Error>) -> Self {
        Self::Run(error.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (Self::Run(error) | Self::Start(error)) = self;
        let text = format!("{error:#}");
        f.write_str(&text.split_whitespace().collect::<Vec<_>>().join(" "))
    }
}
