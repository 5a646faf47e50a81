//! Metrics of the push itself, one series for each target.

use prometheus::{Gauge, GaugeVec, IntCounter, IntCounterVec, IntGauge, IntGaugeVec, Opts};

use crate::instruments::Instruments;

/// Families of all targets.
#[derive(Debug)]
pub struct PushMetrics {
    last_success: GaugeVec,
    duration: GaugeVec,
    bytes: IntCounterVec,
    samples: IntCounterVec,
    retries: IntCounterVec,
    dropped: IntCounterVec,
    queue_bytes: IntGaugeVec,
    oldest: GaugeVec,
    paused: IntGaugeVec,
    /// Ticks missed because a collection was running.
    pub missed_ticks: IntCounter,
    /// Steps of the clock, in either direction.
    pub clock_steps: IntCounter,
}

/// Series of one target.
#[derive(Debug)]
pub struct TargetMetrics {
    /// Time of the last delivery.
    pub last_success: Gauge,
    /// Duration of the last attempt.
    pub duration: Gauge,
    /// Bytes of delivered requests.
    pub bytes: IntCounter,
    /// Samples delivered.
    pub samples: IntCounter,
    /// Attempts after the first.
    pub retries: IntCounter,
    /// Batches dropped at the bound of the queue.
    pub dropped_full: IntCounter,
    /// Batches that the target refused.
    pub dropped_refused: IntCounter,
    /// Batches that could not be written to the queue.
    pub dropped_unwritten: IntCounter,
    /// Damaged regions of the queue.
    pub dropped_damaged: IntCounter,
    /// Size of the queue.
    pub queue_bytes: IntGauge,
    /// Time of the oldest samples that wait.
    pub oldest: Gauge,
    /// Whether the target is paused.
    pub paused: IntGauge,
}

impl PushMetrics {
    /// Registers the families with the exporter's own metrics.
    pub fn new(instruments: &Instruments) -> Result<Self, prometheus::Error> {
        let target = &["target"];
        let metrics = Self {
            last_success: GaugeVec::new(
                Opts::new(
                    "node_exporter_push_last_success_timestamp_seconds",
                    "Time of the last delivery in seconds since 1970.",
                ),
                target,
            )?,
            duration: GaugeVec::new(
                Opts::new(
                    "node_exporter_push_last_attempt_duration_seconds",
                    "Duration of the last attempt in seconds.",
                ),
                target,
            )?,
            bytes: IntCounterVec::new(
                Opts::new("node_exporter_push_sent_bytes_total", "Bytes of delivered requests, compressed."),
                target,
            )?,
            samples: IntCounterVec::new(Opts::new("node_exporter_push_samples_total", "Samples delivered."), target)?,
            retries: IntCounterVec::new(
                Opts::new("node_exporter_push_retries_total", "Attempts that failed and are repeated."),
                target,
            )?,
            dropped: IntCounterVec::new(
                Opts::new("node_exporter_push_dropped_batches_total", "Batches that were not delivered, by reason."),
                &["target", "reason"],
            )?,
            queue_bytes: IntGaugeVec::new(
                Opts::new("node_exporter_push_queue_bytes", "Size of the queue in bytes."),
                target,
            )?,
            oldest: GaugeVec::new(
                Opts::new(
                    "node_exporter_push_oldest_waiting_timestamp_seconds",
                    "Time of the oldest samples that wait in seconds since 1970, 0 without any.",
                ),
                target,
            )?,
            paused: IntGaugeVec::new(Opts::new("node_exporter_push_paused", "1 if the target is paused."), target)?,
            missed_ticks: IntCounter::new(
                "node_exporter_push_missed_ticks_total",
                "Ticks missed because a collection was running.",
            )?,
            clock_steps: IntCounter::new(
                "node_exporter_push_clock_steps_total",
                "Steps of the clock in either direction.",
            )?,
        };
        instruments.add(Box::new(metrics.last_success.clone()))?;
        instruments.add(Box::new(metrics.duration.clone()))?;
        instruments.add(Box::new(metrics.bytes.clone()))?;
        instruments.add(Box::new(metrics.samples.clone()))?;
        instruments.add(Box::new(metrics.retries.clone()))?;
        instruments.add(Box::new(metrics.dropped.clone()))?;
        instruments.add(Box::new(metrics.queue_bytes.clone()))?;
        instruments.add(Box::new(metrics.oldest.clone()))?;
        instruments.add(Box::new(metrics.paused.clone()))?;
        instruments.add(Box::new(metrics.missed_ticks.clone()))?;
        instruments.add(Box::new(metrics.clock_steps.clone()))?;
        Ok(metrics)
    }

    /// The series of a target.
    pub fn of(&self, target: &str) -> TargetMetrics {
        let [full, refused, unwritten, damaged] =
            REASONS.map(|reason| self.dropped.with_label_values(&[target, reason]));
        TargetMetrics {
            last_success: self.last_success.with_label_values(&[target]),
            duration: self.duration.with_label_values(&[target]),
            bytes: self.bytes.with_label_values(&[target]),
            samples: self.samples.with_label_values(&[target]),
            retries: self.retries.with_label_values(&[target]),
            dropped_full: full,
            dropped_refused: refused,
            dropped_unwritten: unwritten,
            dropped_damaged: damaged,
            queue_bytes: self.queue_bytes.with_label_values(&[target]),
            oldest: self.oldest.with_label_values(&[target]),
            paused: self.paused.with_label_values(&[target]),
        }
    }

    /// Removes the series of a target that is no longer pushed to.
    pub fn forget(&self, target: &str) {
        for gauges in [&self.last_success, &self.duration, &self.oldest] {
            _ = gauges.remove_label_values(&[target]);
        }
        for counters in [&self.bytes, &self.samples, &self.retries] {
            _ = counters.remove_label_values(&[target]);
        }
        for gauges in [&self.queue_bytes, &self.paused] {
            _ = gauges.remove_label_values(&[target]);
        }
        for reason in REASONS {
            _ = self.dropped.remove_label_values(&[target, reason]);
        }
    }
}

/// Why a batch was not delivered.
const REASONS: [&str; 4] = ["queue full", "refused", "queue not writable", "damaged"];

impl TargetMetrics {
    /// Batches dropped for any reason.
    pub fn dropped(&self) -> u64 {
        let all = [&self.dropped_full, &self.dropped_refused, &self.dropped_unwritten, &self.dropped_damaged];
        all.into_iter().map(IntCounter::get).sum()
    }
}
