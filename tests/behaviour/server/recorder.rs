//! The recorder of this process, which both backends share.

use metrics_util::debugging::{DebugValue, DebuggingRecorder, Snapshotter};
use std::collections::BTreeMap;
use std::sync::OnceLock;

/// What has been recorded so far, by name and labels; of a histogram, how much.
pub(super) fn figures() -> BTreeMap<String, f64> {
    static RECORDER: OnceLock<Snapshotter> = OnceLock::new();
    let snapshotter = RECORDER.get_or_init(|| {
        let recorder = DebuggingRecorder::new();
        let snapshotter = recorder.snapshotter();
        metrics::set_global_recorder(recorder).unwrap();
        snapshotter
    });
    let snapshot = snapshotter.snapshot().into_vec().into_iter();
    let figures = snapshot.map(|(key, _, _, value)| {
        let labels: Vec<&str> = key.key().labels().map(metrics::Label::value).collect();
        let value = match value {
            DebugValue::Counter(count) => count as f64,
            DebugValue::Gauge(value) => *value,
            DebugValue::Histogram(values) => values.len() as f64,
        };
        (format!("{} {}", key.key().name(), labels.join(" ")), value)
    });
    figures.collect()
}
