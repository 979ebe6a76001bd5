//! When to try again, and when to give up.

use std::hash::{BuildHasher as _, RandomState};
use std::time::Duration;

use jiff::Timestamp;
use tokio::time::Instant;

use crate::transport::HttpError;
use crate::types::{Event, Observer};

/// How often and how long something is retried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RetryPolicy {
    /// The most attempts without progress.
    pub attempts: u32,
    /// The most attempts in all, with or without progress.
    pub most: u32,
    /// The wait after the first failure; it doubles with each.
    pub first_wait: Duration,
    /// The longest such wait.
    pub longest_wait: Duration,
    /// The longest wait that a server may ask for with `Retry-After`.
    pub longest_retry_after: Duration,
    /// How long attempts without progress may take in all.
    pub deadline: Duration,
}

impl Default for RetryPolicy {
    fn default() -> Self {
        Self {
            attempts: 6,
            most: 100,
            first_wait: Duration::from_millis(500),
            longest_wait: Duration::from_secs(30),
            longest_retry_after: Duration::from_mins(2),
            deadline: Duration::from_mins(10),
        }
    }
}

/// Whether there is another server to try when this one fails.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Patience {
    /// There is none: use the whole policy.
    Full,
    /// There is one: two retries, and none if there is no connection.
    Brief,
}

/// Counts the failures of one operation.
pub(crate) struct Attempts<'a> {
    policy: &'a RetryPolicy,
    patience: Patience,
    observer: &'a dyn Observer,
    /// Since the last progress.
    failures: u32,
    since: Option<Instant>,
    all: u32,
}

impl<'a> Attempts<'a> {
    pub(crate) fn new(policy: &'a RetryPolicy, patience: Patience, observer: &'a dyn Observer) -> Self {
        Self { policy, patience, observer, failures: 0, since: None, all: 0 }
    }

    /// Handles a failure: waits and returns for one more attempt, or returns the error as final.
    ///
    /// `progressed`: bytes came before it failed.
    pub(crate) async fn failed(&mut self, error: HttpError, progressed: bool) -> Result<(), HttpError> {
        if progressed {
            (self.failures, self.since) = (0, None);
        }
        self.failures += 1;
        self.all += 1;
        let since = *self.since.get_or_insert_with(Instant::now);
        let attempts = match (self.patience, &error) {
            (Patience::Full, _) => self.policy.attempts,
            (Patience::Brief, HttpError::Connect { .. } | HttpError::Proxy { .. }) => 1,
            (Patience::Brief, _) => self.policy.attempts.min(3),
        };
        if !error.is_transient() || self.failures >= attempts || self.all >= self.policy.most {
            return Err(error);
        }
        let wait = self.wait(&error);
        if since.elapsed() + wait > self.policy.deadline {
            return Err(error);
        }
        self.observer
            .event(Event::Warning { message: format!("{error}; trying again in {:.1} s", wait.as_secs_f32()) });
        tokio::time::sleep(wait).await;
        Ok(())
    }

    fn wait(&self, error: &HttpError) -> Duration {
        let doubled = self.policy.first_wait.saturating_mul(1 << (self.failures - 1).min(16));
        let usual = jittered(doubled.min(self.policy.longest_wait));
        if let HttpError::Status { retry_after: Some(asked), .. } = error {
            // Not less than usual: if the clocks differ, a date may already have passed.
            return (*asked).min(self.policy.longest_retry_after).max(usual);
        }
        usual
    }
}

/// Between half of the wait and all of it, so that many clients do not come back at once.
fn jittered(wait: Duration) -> Duration {
    // Each `RandomState` has other keys, which is random enough to spread clients without another dependency.
    let [random, ..] = RandomState::new().hash_one(0).to_le_bytes();
    wait / 2 + wait / 2 * u32::from(random) / 255
}

/// The wait that a `Retry-After` asks for, in seconds or until a date. RFC 9110, 10.2.3.
pub(crate) fn retry_after(value: &str, now: Timestamp) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|b| b.is_ascii_digit()) {
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    let date = jiff::fmt::rfc2822::DateTimeParser::new().parse_timestamp(value).ok()?;
    Some(Duration::try_from(date.duration_since(now)).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use std::sync::Mutex;

    use super::*;
    use crate::transport::http::error::ErrorBody;

    #[test]
    fn retry_after_is_seconds_or_a_date() {
        let now = "2015-10-21T07:28:00Z".parse().unwrap();
        for (value, seconds) in [
            ("0", Some(0)),
            (" 120 ", Some(120)),
            ("99999999999999999999999999", Some(u64::MAX)),
            ("Wed, 21 Oct 2015 07:28:30 GMT", Some(30)),
            ("Wed, 21 Oct 2015 07:27:00 GMT", Some(0)),
            ("-1", None),
            ("1.5", None),
            ("", None),
            ("soon", None),
        ] {
            assert_eq!(retry_after(value, now), seconds.map(Duration::from_secs), "{value}");
        }
    }

    #[derive(Default)]
    struct Said(Mutex<Vec<String>>);

    impl Observer for Said {
        fn event(&self, event: Event) {
            if let Event::Warning { message } = event {
                self.0.lock().unwrap().push(message);
            }
        }
    }

    fn broken() -> HttpError {
        HttpError::Broken { url: "https://x/y".into(), reason: "reset".to_owned() }
    }

    #[tokio::test(start_paused = true)]
    async fn waits_grow_are_said_and_end() {
        let (policy, said) = (RetryPolicy::default(), Said::default());
        let mut attempts = Attempts::new(&policy, Patience::Full, &said);
        let start = Instant::now();
        let mut count = 1;
        while attempts.failed(broken(), false).await.is_ok() {
            count += 1;
        }
        // 0.5 + 1 + 2 + 4 + 8 seconds, each between its half and its whole.
        let waited = start.elapsed().as_secs_f32();
        assert_eq!((count, said.0.lock().unwrap().len()), (6, 5));
        assert!((7.75..=15.6).contains(&waited), "{waited}");
        assert!(said.0.lock().unwrap()[0].starts_with("https://x/y: the connection broke: reset; trying again in 0."));
    }

    #[tokio::test(start_paused = true)]
    async fn progress_begins_anew_but_not_for_ever() {
        let (policy, said) = (RetryPolicy::default(), Said::default());
        let mut attempts = Attempts::new(&policy, Patience::Brief, &said);
        let mut count = 1;
        while attempts.failed(broken(), true).await.is_ok() {
            count += 1;
        }
        assert_eq!(count, policy.most);
    }

    #[tokio::test(start_paused = true)]
    async fn what_a_server_asks_for_is_capped_and_has_a_deadline() {
        let (policy, said) = (RetryPolicy::default(), Said::default());
        let busy = || HttpError::Status {
            url: "https://x/y".into(),
            status: 429,
            body: ErrorBody::default(),
            retry_after: Some(Duration::from_hours(24)),
        };
        let mut attempts = Attempts::new(&policy, Patience::Full, &said);
        let start = Instant::now();
        while attempts.failed(busy(), false).await.is_ok() {}
        assert!(start.elapsed() <= policy.deadline);
        let mut attempts = Attempts::new(&policy, Patience::Full, &said);
        let start = Instant::now();
        attempts.failed(busy(), false).await.unwrap();
        assert_eq!(start.elapsed(), policy.longest_retry_after);
    }

    #[tokio::test(start_paused = true)]
    async fn a_date_that_has_passed_by_another_clock_is_waited_for_as_usual() {
        let (policy, said) = (RetryPolicy::default(), Said::default());
        let passed = || HttpError::Status {
            url: "https://x/y".into(),
            status: 503,
            body: ErrorBody::default(),
            retry_after: Some(Duration::ZERO),
        };
        let mut attempts = Attempts::new(&policy, Patience::Full, &said);
        let start = Instant::now();
        while attempts.failed(passed(), false).await.is_ok() {}
        assert!(start.elapsed() >= Duration::from_millis(7750), "{:?}", start.elapsed());
    }

    #[tokio::test(start_paused = true)]
    async fn where_another_can_be_asked_a_dead_one_is_not_waited_for() {
        let (policy, said) = (RetryPolicy::default(), Said::default());
        let connect = HttpError::Connect { url: "https://x/y".into(), reason: String::new() };
        assert!(Attempts::new(&policy, Patience::Brief, &said).failed(connect, false).await.is_err());
        let mut attempts = Attempts::new(&policy, Patience::Brief, &said);
        assert!(attempts.failed(broken(), false).await.is_ok());
        assert!(attempts.failed(broken(), false).await.is_ok());
        assert!(attempts.failed(broken(), false).await.is_err());
    }
}
