//! What is read back: lists.

use super::*;

both_databases!(
    registrations_are_listed_and_searched,
    a_list_is_sorted_and_a_page_goes_on_where_the_last_one_ended,
);

async fn registrations_are_listed_and_searched(stage: Stage) {
    let event = stage.event("gala", Some(3), true).await;
    let person = |name: &str, email: &str| {
        Command::Register(Applicant::new(
            Name::parse(name).unwrap(),
            Email::parse(email).unwrap(),
            None,
            Secret::draw(),
        ))
    };
    let people = vec![
        person("Ada Lovelace", "ada@example.org"),
        person("Özgür Çelik", "oz@example.com"),
        person("100% Bob", "bob_1@example.org"),
        person("王小明", "Ming@Example.COM"),
        person("Ünal", "unal@example.net"),
    ];
    let commit = stage.commit(event.id, people).await;
    assert!(commit.decisions.iter().all(Result::is_ok));
    let all = Filter {
        round: 1,
        limit: 100,
        ..Filter::default()
    };
    let list = async |filter: Filter| -> Vec<(u32, Option<u32>)> {
        let page = stage.store.registrations(event.id, &filter).await.unwrap();
        page.rows
            .iter()
            .map(|row| (row.registration.locator.number, row.waiting_position))
            .collect()
    };
    assert_eq!(
        list(all.clone()).await,
        [(1, None), (2, None), (3, None), (4, Some(1)), (5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            after: 1,
            limit: 2,
            ..all.clone()
        })
        .await,
        [(2, None), (3, None)]
    );
    assert_eq!(
        list(Filter {
            after: 4,
            ..all.clone()
        })
        .await,
        [(5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            status: Some(Status::Waiting),
            ..all.clone()
        })
        .await,
        [(4, Some(1)), (5, Some(2))]
    );
    assert_eq!(
        list(Filter {
            round: 2,
            ..all.clone()
        })
        .await,
        []
    );
    for (query, numbers) in [
        ("LOVE", vec![1]),
        ("example.org", vec![1, 3]),
        ("EXAMPLE.com", vec![2, 4]),
        ("özgür", vec![2]),
        ("ÖZGÜR", vec![2]),
        ("ünal", vec![5]),
        ("小明", vec![4]),
        ("%", vec![3]),
        ("_", vec![3]),
        ("0% b", vec![3]),
        ("!", vec![]),
        ("\\", vec![]),
        ("'; DROP TABLE registrations; --", vec![]),
        ("\0", vec![]),
        ("", vec![1, 2, 3, 4, 5]),
    ] {
        let found = list(Filter {
            search: Search::parse(query).unwrap_or_default(),
            ..all.clone()
        })
        .await;
        assert_eq!(
            found.iter().map(|(number, _)| *number).collect::<Vec<_>>(),
            numbers,
            "{query:?}"
        );
    }
}

/// In every order, page by page, from either end; the export has the same rows.
async fn a_list_is_sorted_and_a_page_goes_on_where_the_last_one_ended(stage: Stage) {
    let event = stage.event("gala", Some(4), true).await;
    let names = [
        "zoe",
        "Émile",
        "ada",
        "Bob",
        "ADA",
        "emil",
        "Åsa",
        "王小明",
        "bob",
    ];
    for (n, name) in names.into_iter().enumerate() {
        // Some at the same moment.
        stage
            .clock
            .fetch_add(i64::from(n % 3 == 0), Ordering::SeqCst);
        let person = Applicant::new(
            Name::parse(name).unwrap(),
            Email::parse(&format!("p{}@example.org", 9 - n)).unwrap(),
            None,
            Secret::draw(),
        );
        stage.does(event.id, Command::Register(person)).await;
    }
    for (word, expected) in [
        ("number", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("-number", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
        // Without case and accents; equal names by number.
        ("name", [3, 5, 7, 4, 9, 6, 2, 1, 8]),
        ("at", [1, 2, 3, 4, 5, 6, 7, 8, 9]),
        ("-at", [9, 8, 7, 6, 5, 4, 3, 2, 1]),
    ] {
        for limit in [1, 2, 3, 4, 9, 10] {
            let (mut read, mut after) = (Vec::new(), 0);
            loop {
                let filter = Filter {
                    round: 1,
                    order: Order::parse(word).expect("an order"),
                    after,
                    limit,
                    ..Filter::default()
                };
                let page = stage.store.registrations(event.id, &filter).await.unwrap();
                assert_eq!(page.total, 9, "{filter:?}");
                for row in &page.rows {
                    let number = row.registration.locator.number;
                    let waits = number.checked_sub(4).filter(|place| *place > 0);
                    assert_eq!(row.waiting_position, waits, "{filter:?}");
                    read.push(number);
                }
                let Some(last) = page.rows.last() else {
                    break;
                };
                after = last.registration.locator.number;
            }
            assert_eq!(read, expected, "{word}, {limit} a page");
        }
        let order = Order::parse(word).expect("an order");
        for (order, expected) in [
            (order, expected.to_vec()),
            (order.reversed(), expected.into_iter().rev().collect()),
        ] {
            let all = Filter {
                round: 1,
                order,
                ..Filter::default()
            };
            let mut export = stage.store.export(event.id, all).await.unwrap();
            let mut read = Vec::new();
            while let Some(piece) = export.next().await {
                read.extend(
                    piece
                        .unwrap()
                        .iter()
                        .map(|row| row.registration.locator.number),
                );
            }
            assert_eq!(read, expected, "{order:?}");
        }
    }
    let waiting = Filter {
        round: 1,
        status: Some(Status::Waiting),
        search: Search::parse("b").expect("a word"),
        limit: 1,
        ..Filter::default()
    };
    let page = stage.store.registrations(event.id, &waiting).await.unwrap();
    assert_eq!(
        (page.rows.len(), page.total),
        (1, 1),
        "the total of the filter"
    );
}
