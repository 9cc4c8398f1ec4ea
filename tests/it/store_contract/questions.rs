//! What an event asks, and what people answer.

use headcount::domain::questions::{Answers, Questions, Unanswered};
use serde_json::{Value, json};

use super::*;

both_databases!(
    questions_and_answers_are_read_back,
    answers_belong_to_a_repeated_request,
    removed_questions_keep_their_answers,
    nodes_of_the_first_version_write_beside_questions,
);

fn asked(labels: &[&str]) -> Edit {
    let list = labels.iter().map(|label| {
        let options: &[&str] = if *label == "diet" {
            &["fish", "leek"]
        } else {
            &[]
        };
        let kind = if options.is_empty() {
            "text"
        } else {
            "choices"
        };
        json!({ "key": label, "label": label.to_uppercase(), "kind": kind, "options": options })
    });
    Edit {
        questions: Some(Questions::parse(&Value::Array(list.collect())).unwrap()),
        ..Edit::default()
    }
}

/// Somebody who answers these.
fn answering(event: &Event, person: &str, key: &str, answers: &Value) -> Command {
    let sent = answers.as_object().unwrap().clone().into_iter();
    let sent = sent.map(|(key, value)| (key.into(), value)).collect();
    Command::Register(Applicant {
        key: Some(IdempotencyKey::parse(key).unwrap()),
        answers: event
            .questions
            .answered(&sent, Unanswered::Refused)
            .unwrap(),
        ..applicant(person)
    })
}

async fn questions_and_answers_are_read_back(stage: Stage) {
    let event = stage.event("gala", Some(5), true).await;
    assert!(event.questions.is_empty());
    let (decision, changes) = stage.one(event.id, edit(asked(&["diet", "note"]))).await;
    let event = changed(decision);
    assert_eq!(changes, [Kind::Edited]);
    let stored = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(stored, event);
    assert_eq!(stored.questions.asked().len(), 2);
    let mixed = json!({ "diet": ["leek", "fish"], "note": "\u{1F955} \"so\" 好" });
    let commands = vec![
        answering(&event, "ada", "a", &mixed),
        register("bob"),
        answering(&event, "cy", "c", &json!({ "note": "x" })),
    ];
    let commit = stage.commit(event.id, commands).await;
    let written: Vec<_> = commit.decisions.into_iter().map(accepted).collect();
    let listed = stage
        .store
        .registrations(event.id, &everybody())
        .await
        .unwrap();
    let read: Vec<_> = listed
        .rows
        .into_iter()
        .map(|listed| listed.registration)
        .collect();
    assert_eq!(read, written);
    assert_eq!(
        read[0].answers.stored().unwrap(),
        json!({ "diet": ["fish", "leek"], "note": "\u{1F955} \"so\" 好" }).to_string()
    );
    assert_eq!(read[1].answers, Answers::default());
    // A batch that leaves the questions alone leaves them as they are, and the audit log has none
    // of the answers.
    changed(stage.one(event.id, capacity(7)).await.0);
    let stored = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(stored.questions, event.questions);
    let audit = stage.store.audit(&event.slug, None, 100).await.unwrap();
    let audit = serde_json::to_string(&audit).unwrap();
    assert!(audit.contains("DIET") && !audit.contains("好"), "{audit}");
}

async fn answers_belong_to_a_repeated_request(stage: Stage) {
    let event = stage.event("gala", Some(5), false).await;
    let event = changed(stage.one(event.id, edit(asked(&["diet"]))).await.0);
    let send = |answers: Value| stage.one(event.id, answering(&event, "ada", "k", &answers));
    let first = accepted(send(json!({ "diet": ["fish", "leek"] })).await.0);
    let again = send(json!({ "diet": ["leek", "fish"] })).await.0.unwrap();
    let Answer::Registered {
        registration,
        replayed: true,
    } = again
    else {
        panic!("{again:?}");
    };
    assert_eq!(*registration, first);
    for other in [json!({ "diet": ["leek"] }), json!({})] {
        assert_eq!(send(other).await.0, Err(Refusal::IdempotencyMismatch));
    }
}

async fn removed_questions_keep_their_answers(stage: Stage) {
    let event = stage.event("gala", Some(5), false).await;
    // Nobody has answered the first one.
    changed(stage.one(event.id, edit(asked(&["never"]))).await.0);
    let event = changed(stage.one(event.id, edit(asked(&["diet", "note"]))).await.0);
    accepted(
        stage
            .one(
                event.id,
                answering(&event, "ada", "a", &json!({ "note": "x" })),
            )
            .await
            .0,
    );
    let event = changed(stage.one(event.id, edit(asked(&["diet"]))).await.0);
    let stored = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    let labels: Vec<_> = stored
        .questions
        .known()
        .map(|question| question.label.as_str())
        .collect();
    assert_eq!(labels, ["DIET", "NOTE"]);
    assert_eq!(stored.questions.asked().len(), 1);
    let listed = stage
        .store
        .registrations(event.id, &everybody())
        .await
        .unwrap();
    assert!(!listed.rows[0].registration.answers.is_empty());
    // After a reset nobody has answered in this round, and the archived ones have.
    changed(stage.one(event.id, reset()).await.0);
    let event = changed(stage.one(event.id, edit(asked(&[]))).await.0);
    assert_eq!(event.questions.known().count(), 2);
    // Two organisers who edit the questions do not undo each other.
    let mut late = asked(&["note"]);
    late.was = Some(Box::new(asked(&["diet"])));
    let (refused, changes) = stage.one(event.id, edit(late)).await;
    assert_eq!((refused, changes), (Err(Refusal::ChangedMeanwhile), vec![]));
}

/// They insert rows without the new columns.
async fn nodes_of_the_first_version_write_beside_questions(stage: Stage) {
    let event = stage.event("gala", Some(5), false).await;
    let event = changed(stage.one(event.id, edit(asked(&["diet"]))).await.0);
    stage
        .tamper(
            "INSERT INTO registrations (event_id, number, round, secret, name, search_key, email,
                 email_key, status,
                 accepted_revision, revision, at)
             SELECT id, 1, 1, 's', 'Ada', 'ada', 'a@example.org', 'a@example.org',
                 'confirmed', 2, 2, at FROM events",
        )
        .await;
    stage
        .tamper("UPDATE events SET last_number = 1, registered = 1")
        .await;
    let listed = stage
        .store
        .registrations(event.id, &everybody())
        .await
        .unwrap();
    assert!(listed.rows[0].registration.answers.is_empty());
    let stored = stage.store.event_by_id(event.id).await.unwrap().unwrap();
    assert_eq!(stored.questions, event.questions);
}

fn everybody() -> Filter {
    Filter {
        round: 1,
        limit: 100,
        ..Filter::default()
    }
}
