//! Groups of all sizes at the same moment.

use headcount::domain::audit::Actor;
use headcount::domain::command::Revised;
use headcount::domain::registration::Status;
use tokio::task::JoinSet;

use super::*;

const CLIENTS: i64 = 64;
const PLACES: u32 = 20;
const TIMES: u32 = 50;

/// Parties of 1 to 5 for 20 places, while others leave or become smaller: at no revision are there
/// 21 people, and every group has all its places or none.
pub(super) async fn groups_never_share_a_place_and_are_never_split(url: DatabaseUrl) {
    let node = Arc::new(Node::start(&url).await);
    for time in 0..TIMES {
        let waitlist = time % 2 == 0;
        let new = NewEvent {
            slug: Slug::parse(&format!("gala-{time}")).unwrap(),
            ..gala(PLACES.into(), waitlist)
        };
        let event = node.store.create(new, "token", Clock::System.now()).await;
        let event = event.unwrap();
        node.hub.publish(event.clone());
        let mut crowd = JoinSet::new();
        for client in 0..CLIENTS {
            let (node, id) = (Arc::clone(&node), event.id);
            crowd.spawn(async move { come_and_change(&node, id, client).await });
        }
        let refused: Vec<u32> = crowd.join_all().await.into_iter().flatten().collect();
        // It also checks that nobody waits while enough places are free, and the sums.
        let (event, rows) = node.audited(event.id).await;
        for count in node.log(&event).await {
            assert!(count.registered <= PLACES, "{count:?}");
        }
        let has_waited = rows.iter().any(|row| row.status == Status::Waiting);
        assert_eq!(has_waited, waitlist, "twice as many people as places come");
        assert_eq!(refused.is_empty(), waitlist, "{refused:?}");
    }
}

/// Registers a party of 1 to 5. One in eight leaves again, and one in eight becomes a single person.
/// Returns the size of a party that got no place.
async fn come_and_change(node: &Node, event: EventId, client: i64) -> Option<u32> {
    let people = client % 5 + 1;
    let submit = async |command| {
        node.registrar
            .submit(event, command)
            .await
            .expect("an answer")
    };
    let decision = submit(register_party(client, people)).await;
    let Some(row) = accepted(&decision) else {
        return u32::try_from(people).ok();
    };
    assert_eq!(i64::from(row.party_size.get()), people);
    let (locator, secret, by) = (row.locator, Some(row.secret.clone()), Actor::Visitor);
    let command = match client % 8 {
        0 => Command::Cancel {
            locator,
            secret,
            by,
        },
        1 => Command::Change {
            locator,
            secret,
            revised: Revised {
                party_size: Some(PartySize::ONE),
                ..Revised::default()
            },
            expected: None,
            by,
        },
        _ => return None,
    };
    submit(command).await.expect("smaller always works");
    None
}
