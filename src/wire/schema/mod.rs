//! The generated pages of the protocol: JSON Schema, AsyncAPI, examples, and the tables of
//! `docs/protocol.md`. They come from the types; a test compares them with the files, and
//! `UPDATE=1` writes them anew.

mod asyncapi;
mod document;
mod example;
mod page;
mod sample;
mod sample_event;
mod yaml;

use std::fs;
use std::path::Path;

/// A file of the repository and what it has to hold.
struct Generated {
    path: String,
    content: String,
}

fn generated() -> Vec<Generated> {
    let file = |path: &str, content| Generated {
        path: path.to_owned(),
        content,
    };
    let mut files = vec![
        file("docs/schema.json", document::text()),
        file("docs/asyncapi.yaml", asyncapi::text()),
        file("docs/protocol.md", page::text()),
    ];
    for page in example::pages() {
        files.push(file(
            &format!("docs/examples/{}.json", page.kind),
            page.json(),
        ));
        files.push(file(
            &format!("docs/examples/{}.msgpack.hex", page.kind),
            page.hex(),
        ));
    }
    files
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

#[test]
fn the_files_are_those_of_the_types() {
    let update = std::env::var_os("UPDATE").is_some_and(|value| value == "1");
    let mut stale = Vec::new();
    for Generated { path, content } in generated() {
        let file = root().join(&path);
        if fs::read_to_string(&file).is_ok_and(|held| held == content) {
            continue;
        }
        if update {
            let folder = file.parent().expect("a file is in a folder");
            fs::create_dir_all(folder).expect("the folder can be made");
            fs::write(&file, content).expect("the file can be written");
        } else {
            stale.push(path);
        }
    }
    assert!(
        stale.is_empty(),
        "not as the types say, rewrite with UPDATE=1: {stale:?}"
    );
}

#[test]
fn no_example_is_left_of_a_message_that_is_no_more() {
    let known: Vec<String> = generated().into_iter().map(|file| file.path).collect();
    for file in fs::read_dir(root().join("docs/examples")).expect("examples are there") {
        let name = file.expect("can be listed").file_name();
        let path = format!("docs/examples/{}", name.to_string_lossy());
        assert!(known.contains(&path), "{path} belongs to no message");
    }
}
