//! One contact per external id.

use super::centre::{Centre, Disk, SMALL};
use switchroom::domain::command::QueueCommand;
use switchroom::domain::machine::{Answer, Refusal};
use switchroom::id::ContactId;

type Bodies = Vec<(ContactId, bool)>;

async fn hundred(centre: &Centre) -> Bodies {
    let engine = &centre.engine;
    let waiting: Vec<_> = std::thread::scope(|scope| {
        let submit = |n: usize| {
            let (to, once) = engine.doors().once();
            centre.submit_to(["one", "two"][n % 2], "same", Some(to));
            once
        };
        let threads: Vec<_> = (0..4)
            .map(|thread| {
                scope.spawn(move || (0..25).map(|n| submit(n + thread)).collect::<Vec<_>>())
            })
            .collect();
        let joined = threads.into_iter().map(|thread| thread.join().unwrap());
        joined.flatten().collect()
    });
    let mut bodies = Vec::new();
    for once in waiting {
        match once.answer().await {
            Some((
                Ok(Answer::Submitted {
                    contact, repeated, ..
                }),
                _,
            )) => bodies.push((contact, repeated)),
            other => panic!("not submitted: {other:?}"),
        }
    }
    bodies
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn r14_a_hundred_parallel_submits_of_one_external_id_make_one_contact() {
    let disk = Disk::default();
    let centre = Centre::open(SMALL, disk.options());
    let bodies = hundred(&centre).await;
    assert_eq!(
        bodies.iter().filter(|(_, repeated)| !repeated).count(),
        1,
        "one is the first"
    );
    assert!(
        bodies.iter().all(|(contact, _)| *contact == bodies[0].0),
        "{bodies:?}"
    );
    centre.engine.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn an_external_id_names_its_contact_after_the_close_too() {
    let centre = Centre::small();
    let contact = centre.submit("one", "x-1").await;
    let (gone, _) = centre.command("site", QueueCommand::Abandon(contact)).await;
    assert!(gone.is_ok(), "{gone:?}");
    assert_eq!(centre.submit("two", "x-1").await, contact);
    let (again, _) = centre.command("site", QueueCommand::Abandon(contact)).await;
    assert!(
        matches!(
            again,
            Err(Refusal::ContactGone(_) | Refusal::NotFound { .. })
        ),
        "{again:?}"
    );
    centre.engine.stop().await;
}
