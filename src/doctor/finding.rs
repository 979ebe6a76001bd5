//! Findings: the same form for all checks of the doctor.

use serde::Serialize;

/// How serious it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Verdict {
    /// Nothing is wrong.
    Good,
    /// Worth knowing; it makes nothing fail.
    Note,
    /// It may make something fail, or only rare uses.
    Warning,
    /// It makes something fail.
    Error,
}

impl Verdict {
    /// The word for people and machines.
    #[must_use]
    pub(crate) fn as_str(self) -> &'static str {
        match self {
            Self::Good => "good",
            Self::Note => "note",
            Self::Warning => "warning",
            Self::Error => "error",
        }
    }
}

/// The users that a finding concerns.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Concern {
    /// Everybody who builds or runs images here.
    #[default]
    All,
    /// Only people who build with a Docker engine, as sealer did up to v0.5: this program's builder needs no engine.
    Engine,
}

/// The result of one check.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub(crate) struct Finding {
    /// How serious it is.
    pub verdict: Verdict,
    /// The name of the check, a stable word for machines (`hosts`, `blob-missing`).
    pub check: &'static str,
    /// What was checked: a path, a reference, a layer.
    pub subject: String,
    /// What was found, as the rest of a sentence after the subject.
    pub found: String,
    /// What it should be, if that is not obvious.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub expected: Option<String>,
    /// How to fix it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub remedy: Option<String>,
    /// The users that it concerns.
    pub concern: Concern,
}

impl Finding {
    /// A finding that concerns everybody.
    pub(crate) fn new(
        verdict: Verdict,
        check: &'static str,
        subject: impl Into<String>,
        found: impl Into<String>,
    ) -> Self {
        let (subject, found) = (subject.into(), found.into());
        Self { verdict, check, subject, found, expected: None, remedy: None, concern: Concern::All }
    }

    /// Adds what it should be.
    #[must_use]
    pub(crate) fn expected(mut self, expected: impl Into<String>) -> Self {
        self.expected = Some(expected.into());
        self
    }

    /// Adds how to fix it.
    #[must_use]
    pub(crate) fn remedy(mut self, remedy: impl Into<String>) -> Self {
        self.remedy = Some(remedy.into());
        self
    }

    /// Marks it as relevant only for builds with an engine.
    #[must_use]
    pub(crate) fn for_engines(mut self) -> Self {
        self.concern = Concern::Engine;
        self
    }

    /// The finding for people: a line, and one each for what is expected and what to do.
    ///
    /// ```text
    /// warning: /etc/hosts:7: `sea.hub` is 10.0.0.1 (only for builds with an engine)
    ///   expected: no such line on a machine that builds
    ///   remedy: delete line 7
    /// ```
    #[must_use]
    pub(crate) fn text(&self) -> String {
        let concern = match self.concern {
            Concern::All => "",
            Concern::Engine => " (only for builds with an engine)",
        };
        let head = format!("{}: {}: {}{concern}\n", self.verdict.as_str(), self.subject, self.found);
        let more = [("expected", &self.expected), ("remedy", &self.remedy)].into_iter();
        more.filter_map(|(what, words)| Some(format!("  {what}: {}\n", words.as_ref()?)))
            .fold(head, |all, line| all + &line)
    }
}

/// The worst verdict of the findings that concern everybody; good if there is none.
#[must_use]
pub(crate) fn worst(findings: &[Finding]) -> Verdict {
    let all = findings.iter().filter(|finding| finding.concern == Concern::All);
    all.map(|finding| finding.verdict).max().unwrap_or(Verdict::Good)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn people_read_what_is_and_what_should_be() {
        let finding = Finding::new(Verdict::Warning, "hosts", "/etc/hosts:7", "`sea.hub` is 10.0.0.1")
            .expected("no such line on a machine that builds")
            .remedy("delete line 7")
            .for_engines();
        insta::assert_snapshot!(finding.text(), @"
        warning: /etc/hosts:7: `sea.hub` is 10.0.0.1 (only for builds with an engine)
          expected: no such line on a machine that builds
          remedy: delete line 7
        ");
        assert_eq!(worst(std::slice::from_ref(&finding)), Verdict::Good);
        assert_eq!(worst(&[finding.clone(), Finding { concern: Concern::All, ..finding }]), Verdict::Warning);
    }
}
