//! Metrics of the web configuration.

use std::time::Duration;

use prometheus::{Error, Gauge, IntCounter, IntCounterVec, IntGauge, Opts};

use crate::instruments::Instruments;

/// Why a request is not answered.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// The configuration cannot be read, so that nobody knows who may ask.
    Configuration,
    /// There were too many.
    RateLimit,
    /// User or password are wrong.
    Login,
    /// Too many logins are being compared.
    Busy,
}

impl Refusal {
    const ALL: [Self; 4] = [Self::Configuration, Self::RateLimit, Self::Login, Self::Busy];

    const fn word(self) -> &'static str {
        match self {
            Self::Configuration => "configuration",
            Self::RateLimit => "rate_limit",
            Self::Login => "login",
            Self::Busy => "busy",
        }
    }
}

/// The metrics.
#[derive(Debug)]
pub(super) struct Metrics {
    is_good: IntGauge,
    good_at: Gauge,
    is_ignored: IntGauge,
    expires: Gauge,
    refused: IntCounterVec,
    handshakes_failed: IntCounter,
    has_tls: bool,
}

impl Metrics {
    pub(super) fn new(has_tls: bool) -> Result<Self, Error> {
        let refused = IntCounterVec::new(
            Opts::new(
                "node_exporter_web_requests_refused_total",
                "Requests refused by the web configuration, by reason.",
            ),
            &["reason"],
        )?;
        for refusal in Refusal::ALL {
            refused.with_label_values(&[refusal.word()]);
        }
        Ok(Self {
            is_good: IntGauge::new(
                "node_exporter_web_config_last_reload_successful",
                "Whether the web configuration could be read when it was last tried, with all that it names.",
            )?,
            good_at: Gauge::new(
                "node_exporter_web_config_last_reload_success_timestamp_seconds",
                "When the web configuration was last read without a mistake.",
            )?,
            is_ignored: IntGauge::new(
                "node_exporter_web_config_ignored",
                "Whether the web configuration file is ignored because it lacks logins or TLS that are in force.",
            )?,
            expires: Gauge::new(
                "node_exporter_web_certificate_expiry_timestamp_seconds",
                "Until when the certificate holds that new connections are shown.",
            )?,
            refused,
            handshakes_failed: IntCounter::new(
                "node_exporter_web_tls_handshakes_failed_total",
                "Connections whose TLS handshake failed.",
            )?,
            has_tls,
        })
    }

    /// Puts them on the page.
    pub(super) fn add_to(&self, instruments: &Instruments) -> Result<(), Error> {
        instruments.add(Box::new(self.is_good.clone()))?;
        instruments.add(Box::new(self.good_at.clone()))?;
        instruments.add(Box::new(self.is_ignored.clone()))?;
        instruments.add(Box::new(self.refused.clone()))?;
        if self.has_tls {
            instruments.add(Box::new(self.expires.clone()))?;
            instruments.add(Box::new(self.handshakes_failed.clone()))?;
        }
        Ok(())
    }

    /// The configuration was read.
    pub(super) fn read(&self, is_good: bool, now: Duration) {
        self.is_good.set(i64::from(is_good));
        if is_good {
            self.good_at.set(now.as_secs_f64());
        }
    }

    /// The file was read, and is ignored or not.
    pub(super) fn ignore(&self, is_ignored: bool) {
        self.is_ignored.set(i64::from(is_ignored));
    }

    /// There is another certificate.
    #[cfg(feature = "tls")]
    pub(super) fn certified(&self, not_after: i64) {
        self.expires.set(not_after as f64);
    }

    /// A request was refused.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.refused.with_label_values(&[refusal.word()]).inc();
    }

    /// A handshake failed.
    #[cfg(feature = "tls")]
    pub(super) fn failed(&self) {
        self.handshakes_failed.inc();
    }
}
