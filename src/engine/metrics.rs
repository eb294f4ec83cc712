//! What operators see of an engine, in the text format of Prometheus.

use prometheus_client::encoding::text::encode;
use prometheus_client::metrics::counter::Counter;
use prometheus_client::metrics::gauge::Gauge;
use prometheus_client::registry::Registry;

/// Counters that rise as things happen, and gauges that are read when somebody asks.
#[derive(Default)]
pub(super) struct Metrics {
    restarts: Counter,
    out_of_service: Counter,
    barriers_timed_out: Counter,
    barriers_queue_down: Counter,
    resets: Counter,
    frames: Counter,
}

/// What is read when somebody asks.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Readings {
    /// Last position given out.
    pub(super) position: u64,
    /// Last position that is durable.
    pub(super) durable: u64,
    /// Estimated bytes not yet durable.
    pub(super) undurable_bytes: u64,
    /// Age of the oldest event not yet durable, in milliseconds.
    pub(super) undurable_age: u64,
    /// Messages in the floor's mailbox.
    pub(super) floor_mail: u64,
    /// Messages in the longest mailbox of a queue.
    pub(super) queue_mail: u64,
    /// Messages in the board's mailbox.
    pub(super) board_mail: u64,
    /// Contacts that commands find, those just closed included.
    pub(super) contacts: u64,
    /// External ids taken.
    pub(super) external_ids: u64,
    /// Open doors.
    pub(super) doors: u64,
}

impl Metrics {
    pub(super) fn restarted(&self) {
        self.restarts.inc();
    }

    pub(super) fn out_of_service(&self) {
        self.out_of_service.inc();
    }

    /// A view's continuity could not be proved.
    pub(super) fn reset(&self) {
        self.resets.inc();
    }

    /// A message of a view was put into a door.
    pub(super) fn frame(&self) {
        self.frames.inc();
    }

    /// Barriers that ended without an answer since the last time.
    pub(super) fn barriers(&self, timed_out: u64, queue_down: u64) {
        self.barriers_timed_out.inc_by(timed_out);
        self.barriers_queue_down.inc_by(queue_down);
    }

    /// All of it, as one page.
    pub(super) fn page(&self, readings: Readings) -> String {
        let mut registry = Registry::with_prefix("switchroom");
        self.counters(&mut registry);
        gauges(&mut registry, readings);
        let mut page = String::new();
        // Writing into a string cannot fail.
        let _ = encode(&mut page, &registry);
        page
    }

    fn counters(&self, registry: &mut Registry) {
        let counters = [
            (
                "actor_restarts",
                "Actors brought back after a failure",
                &self.restarts,
            ),
            (
                "actors_out_of_service",
                "Actors that failed too often",
                &self.out_of_service,
            ),
            (
                "barriers_timed_out",
                "Barriers of a lane that ended without the queue's answer",
                &self.barriers_timed_out,
            ),
            (
                "barriers_queue_down",
                "Barriers of a lane that ended because the queue was down",
                &self.barriers_queue_down,
            ),
            (
                "resets",
                "Views whose continuity could not be proved",
                &self.resets,
            ),
            ("frames", "Messages of views put into doors", &self.frames),
        ];
        for (name, help, counter) in counters {
            registry.register(name, help, counter.clone());
        }
    }
}

fn gauges(registry: &mut Registry, readings: Readings) {
    let gauges = [
        ("position", "Last position given out", readings.position),
        (
            "durable_position",
            "Last position that is durable",
            readings.durable,
        ),
        (
            "undurable_bytes",
            "Estimated size of what is not yet durable",
            readings.undurable_bytes,
        ),
        (
            "undurable_age_ms",
            "Age of the oldest event not yet durable",
            readings.undurable_age,
        ),
        (
            "floor_mailbox",
            "Messages in the floor's mailbox",
            readings.floor_mail,
        ),
        (
            "queue_mailbox_longest",
            "Messages in the longest mailbox of a queue",
            readings.queue_mail,
        ),
        (
            "board_mailbox",
            "Messages in the board's mailbox",
            readings.board_mail,
        ),
        (
            "contacts",
            "Contacts that commands find, those just closed included",
            readings.contacts,
        ),
        (
            "external_ids",
            "External ids that are taken",
            readings.external_ids,
        ),
        (
            "doors",
            "Sessions and exchanges that are open",
            readings.doors,
        ),
    ];
    for (name, help, value) in gauges {
        let gauge = Gauge::<i64>::default();
        gauge.set(i64::try_from(value).unwrap_or(i64::MAX));
        registry.register(name, help, gauge);
    }
}

#[cfg(test)]
mod tests {
    use super::{Metrics, Readings};

    #[test]
    fn a_page_names_every_number_once() {
        let metrics = Metrics::default();
        metrics.restarted();
        let page = metrics.page(Readings {
            undurable_age: 7,
            ..Readings::default()
        });
        let has = |line: &str| page.lines().filter(|found| *found == line).count();
        assert_eq!(has("switchroom_actor_restarts_total 1"), 1, "{page}");
        assert_eq!(has("switchroom_undurable_age_ms 7"), 1, "{page}");
    }
}
