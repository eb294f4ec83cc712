//! The report as text for people.

use std::fmt::Write as _;

use super::{Burst, Contacts, Idle, Report, Times};

impl Report {
    /// The summary for people.
    pub fn text(&self) -> String {
        let mut text = String::new();
        let settings = &self.settings;
        let _ = writeln!(
            text,
            "{}: {} agents, {} queues ({} each), {} supervisors at {} Hz, {}/s for {} s, {}, handle {} ms, wrap-up {} ms, {} by {}, journal {}, seed {}",
            settings.mode,
            settings.agents,
            settings.queues,
            settings.queues_per_agent,
            settings.supervisors,
            settings.hz,
            settings.rate,
            settings.seconds,
            settings.mix,
            settings.handle_ms,
            settings.wrap_up_ms,
            settings.encoding,
            settings.submit,
            settings.journal,
            settings.seed
        );
        let Contacts {
            submitted,
            refused,
            completed,
            abandoned,
            lost,
            doubled,
            ..
        } = self.contacts;
        let _ = writeln!(
            text,
            "contacts        submitted {submitted}, refused {refused}, completed {completed}, abandoned {abandoned}, lost {lost}, doubled {doubled}"
        );
        if let Some(share) = self.agents_with_work {
            let _ = writeln!(text, "agents at work  {:.1} %", share * 100.0);
        }
        for (name, times) in [
            ("offer", &self.offer),
            ("waited", &self.waited),
            ("reply", &self.reply),
            ("connect", &self.connect),
            ("generator lag", &self.generator_lag),
            ("bare relay", &self.floor),
            ("relay's lag", &self.floor_lag),
        ] {
            line(&mut text, name, times);
        }
        for (place, slice) in self
            .slices
            .iter()
            .enumerate()
            .filter(|(_, slice)| slice.floor.is_some())
        {
            line(&mut text, &format!("  load {}", place + 1), &slice.load);
            line(
                &mut text,
                &format!("  relay {}", place + 1),
                &slice.floor.unwrap_or_default(),
            );
        }
        if let (Some(p50), Some(p99)) = (self.ratio.p50, self.ratio.p99) {
            let _ = writeln!(
                text,
                "ratio           p50 {p50:.2}, p99 {p99:.2} (median over {} pairs of slices)",
                self.slices.len()
            );
        }
        if let (Some(p50), Some(p99)) = (self.staleness.p50_ms, self.staleness.p99_ms) {
            let _ = writeln!(text, "staleness       p50 {p50:.0} ms, p99 {p99:.0} ms");
        }
        self.modes(&mut text);
        if let (Some(rss), Some(cpu)) = (self.server.rss_bytes, self.server.cpu_seconds) {
            let _ = writeln!(
                text,
                "server          {:.1} MB, {cpu:.2} s of CPU",
                rss as f64 / 1e6
            );
        }
        let _ = writeln!(text, "promises broken {}", self.promises_broken);
        for (promise, count) in self.promises.iter().filter(|(_, count)| **count > 0) {
            let _ = writeln!(text, "  {promise:?}: {count}");
        }
        for example in &self.examples {
            let _ = writeln!(text, "  {example}");
        }
        if let Some(why) = &self.void {
            let _ = writeln!(text, "VOID: {why}");
        }
        text
    }

    fn journals(&self, text: &mut String) {
        let Some(journals) = &self.journals else {
            return;
        };
        for (name, side) in [("memory", &journals.memory), ("disk", &journals.disk)] {
            line(text, &format!("{name}, offer"), &side.offer);
            line(text, &format!("{name}, reply"), &side.reply);
            if let Some(cpu) = side.cpu_us {
                let _ = writeln!(
                    text,
                    "{name:15} {cpu:.0} us of the server's CPU per contact"
                );
            }
        }
        line(text, "bare writer", &journals.writer);
        for (name, ratio) in [
            ("bare writer's", journals.over_writer),
            ("memory's", journals.over_memory),
        ] {
            if let (Some(p50), Some(p99)) = (ratio.p50, ratio.p99) {
                let _ = writeln!(
                    text,
                    "disk's reply over the {name}: p50 {p50:.2}, p99 {p99:.2}"
                );
            }
        }
    }

    fn modes(&self, text: &mut String) {
        self.journals(text);
        if let Burst {
            contacts: Some(contacts),
            agents: Some(agents),
            offers: Some(offers),
            sent_ms: Some(sent),
            last_offer_ms,
        } = self.burst
        {
            let last =
                last_offer_ms.map_or("never".to_owned(), |last| format!("after {last:.2} ms"));
            let _ = writeln!(
                text,
                "burst           {contacts} contacts in {sent:.2} ms: {offers} offers to {agents} agents, the last one {last}"
            );
        }
        if let Idle {
            sockets: Some(sockets),
            bytes_per_socket: Some(bytes),
            ..
        } = self.idle
        {
            let _ = writeln!(
                text,
                "idle            {sockets} sockets, {bytes:.0} bytes each"
            );
        }
        for (place, rss) in self.waves.rss_bytes.iter().enumerate() {
            let _ = writeln!(
                text,
                "wave {}          {:.1} MB after it",
                place + 1,
                *rss as f64 / 1e6
            );
        }
        if let Some(growth) = self.waves.growth {
            let _ = writeln!(text, "growth          {growth:.3} (last wave over first)");
        }
    }
}

fn line(text: &mut String, name: &str, times: &Times) {
    if let (Some(p50), Some(p99), Some(p999), Some(max)) =
        (times.p50_us, times.p99_us, times.p999_us, times.max_us)
    {
        let _ = writeln!(
            text,
            "{name:15} p50 {p50:.0} us, p99 {p99:.0} us, p99.9 {p999:.0} us, max {max:.0} us ({})",
            times.count
        );
    }
}
