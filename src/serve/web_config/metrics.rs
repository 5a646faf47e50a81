//! Metrics of the web configuration.

use std::time::Duration;

use prometheus::{Error, Gauge, IntCounter, IntCounterVec, IntGauge, Opts};

use crate::instruments::Instruments;

/// Reasons of refused requests.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(super) enum Refusal {
    /// The configuration is invalid, so that the allowed users are unknown.
    Configuration,
    /// The rate limit is exceeded.
    RateLimit,
    /// The user or the password is wrong.
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

/// Metrics of the web configuration.
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
                "Whether the last reload of the web configuration and its files succeeded.",
            )?,
            good_at: Gauge::new(
                "node_exporter_web_config_last_reload_success_timestamp_seconds",
                "Time of the last successful reload of the web configuration.",
            )?,
            is_ignored: IntGauge::new(
                "node_exporter_web_config_ignored",
                "Whether the web configuration file is ignored because it lacks active logins or TLS.",
            )?,
            expires: Gauge::new(
                "node_exporter_web_certificate_expiry_timestamp_seconds",
                "Expiry time of the certificate of new connections.",
            )?,
            refused,
            handshakes_failed: IntCounter::new(
                "node_exporter_web_tls_handshakes_failed_total",
                "Connections whose TLS handshake failed.",
            )?,
            has_tls,
        })
    }

    /// Registers the metrics.
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

    /// Records a reload.
    pub(super) fn read(&self, is_good: bool, now: Duration) {
        self.is_good.set(i64::from(is_good));
        if is_good {
            self.good_at.set(now.as_secs_f64());
        }
    }

    /// Records whether the file is ignored.
    pub(super) fn ignore(&self, is_ignored: bool) {
        self.is_ignored.set(i64::from(is_ignored));
    }

    /// Records the certificate's expiry time.
    #[cfg(feature = "tls")]
    pub(super) fn certified(&self, not_after: i64) {
        self.expires.set(not_after as f64);
    }

    /// Counts a refused request.
    pub(super) fn refuse(&self, refusal: Refusal) {
        self.refused.with_label_values(&[refusal.word()]).inc();
    }

    /// Counts a failed handshake.
    #[cfg(feature = "tls")]
    pub(super) fn failed(&self) {
        self.handshakes_failed.inc();
    }
}
