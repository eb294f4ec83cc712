//! Structure: imports go down only, and the pages name files that exist. The table below is the one
//! of `docs/architecture.md`; a line that breaks it is printed with the reason why.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on says where")]

use std::fmt::Write as _;
use std::fs;
use std::path::{Path, PathBuf};

/// A layer: its rooms, and the words that must not stand in its code.
struct Layer {
    number: u8,
    rooms: &'static [&'static str],
    must_not: &'static [(&'static str, &'static str)],
}

const NO_WAITING: &[(&str, &str)] = &[
    ("tokio", "decisions do not wait"),
    ("async ", "decisions do not wait"),
    (".await", "decisions do not wait"),
    ("Instant::now", "time comes in as an argument"),
    ("SystemTime", "time comes in as an argument"),
    ("getrandom", "chance comes in as an argument"),
    ("HashMap", "its order differs from run to run"),
    ("HashSet", "its order differs from run to run"),
    ("crate::wire", "the protocol may change without the domain"),
];

const LAYERS: &[Layer] = &[
    Layer {
        number: 0,
        rooms: &["id", "time", "limits"],
        must_not: &[("crate::engine", "the base knows nobody")],
    },
    Layer {
        number: 1,
        rooms: &["access"],
        must_not: &[
            ("tokio", "a right is decided without waiting"),
            ("Instant::now", "time comes in as an argument"),
            ("SystemTime", "time comes in as an argument"),
        ],
    },
    Layer {
        number: 2,
        rooms: &["domain"],
        must_not: NO_WAITING,
    },
    Layer {
        number: 3,
        rooms: &["live"],
        must_not: NO_WAITING,
    },
    Layer {
        number: 4,
        rooms: &["wire"],
        must_not: &[
            ("tokio::", "the protocol has no sockets"),
            ("tungstenite", "the protocol has no sockets"),
        ],
    },
    Layer {
        number: 5,
        rooms: &["journal", "directory"],
        must_not: &[("tungstenite", "a store has no client sockets")],
    },
    Layer {
        number: 6,
        rooms: &["engine"],
        must_not: &[("tungstenite", "the loop has no client sockets")],
    },
    Layer {
        number: 7,
        rooms: &["gate", "net"],
        must_not: &[
            ("domain::queue", "the doors reach queues through the gate"),
            (
                "domain::floor",
                "the doors reach the floor through the gate",
            ),
        ],
    },
    Layer {
        number: 8,
        rooms: &["config", "cli", "main"],
        must_not: &[],
    },
];

fn sources(folder: &Path, found: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() {
            sources(&path, found);
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
}

/// The room a source file belongs to: the folder or file right below `src/`.
fn room(path: &Path, src: &Path) -> String {
    let inside = path.strip_prefix(src).unwrap();
    let first = inside.components().next().unwrap().as_os_str();
    first.to_string_lossy().trim_end_matches(".rs").to_owned()
}

fn layer_of(room: &str) -> Option<&'static Layer> {
    LAYERS.iter().find(|layer| layer.rooms.contains(&room))
}

/// The room named in a `crate::` or `switchroom::` path.
fn rooms_named(line: &str) -> Vec<String> {
    ["crate::", "switchroom::"]
        .iter()
        .flat_map(|root| {
            line.match_indices(root)
                .map(|(at, _)| &line[at + root.len()..])
        })
        .map(|rest| {
            rest.chars()
                .take_while(|c| c.is_alphanumeric() || *c == '_')
                .collect()
        })
        .collect()
}

#[test]
fn imports_go_down_only() {
    let src = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    sources(&src, &mut files);
    assert!(files.len() > 20, "the sources were not found in {src:?}");
    let mut broken = String::new();
    for file in files {
        let room = room(&file, &src);
        if room == "lib" {
            continue;
        }
        let Some(layer) = layer_of(&room) else {
            writeln!(broken, "{}: room {room} is in no layer", file.display()).unwrap();
            continue;
        };
        let text = fs::read_to_string(&file).unwrap();
        let code = text.split("#[cfg(test)]").next().unwrap();
        for (number, line) in code.lines().enumerate() {
            if line.trim_start().starts_with("//") {
                continue;
            }
            let place = format!("{}:{}: {}", file.display(), number + 1, line.trim());
            for (word, why) in layer.must_not {
                if line.contains(word) {
                    writeln!(broken, "{place}\n    {room} must not say {word:?}: {why}").unwrap();
                }
            }
            for named in rooms_named(line) {
                if layer_of(&named).is_some_and(|other| other.number > layer.number) {
                    writeln!(
                        broken,
                        "{place}\n    {room} is below {named}: imports go down only"
                    )
                    .unwrap();
                }
            }
        }
    }
    assert!(broken.is_empty(), "\n{broken}");
}

#[test]
fn files_named_in_the_documents_exist() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut missing = String::new();
    let mut named = 0;
    for page in ["docs/architecture.md", "README.md"] {
        let Ok(text) = fs::read_to_string(root.join(page)) else {
            writeln!(missing, "{page} itself").unwrap();
            continue;
        };
        for word in text.split(['`', '(', ')', ' ', '\n', ',']) {
            let path = word.trim_end_matches(['.', ':', ';']);
            if ["src/", "tests/", "docs/", "scripts/"]
                .iter()
                .any(|root| path.starts_with(root))
            {
                named += 1;
                if !root.join(path).exists() {
                    writeln!(missing, "{page} names {path}").unwrap();
                }
            }
        }
    }
    assert!(named > 10, "the pages name files");
    assert!(missing.is_empty(), "\n{missing}");
}
