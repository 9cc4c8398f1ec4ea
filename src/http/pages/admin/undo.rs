//! What takes an action back, offered beside the message that it is done.

use super::{flash, inputs};
use crate::domain::event::Event;
use crate::domain::headcount::State;
use crate::http::pages::visit::Visit;

/// The parameter with the capacity before a change of it.
pub(super) const WAS: &str = "was";

/// The parameter with the capacity after it.
pub(super) const SET: &str = "set";

/// A form with one button.
#[derive(Debug, PartialEq, Eq)]
pub(in crate::http::pages) struct UndoView {
    /// The last segment of its address.
    pub(in crate::http::pages) action: &'static str,
    pub(in crate::http::pages) fields: Vec<(&'static str, String)>,
}

/// The undo of the action in the address; `None` if there is none, or somebody else was faster.
pub(super) fn of(visit: &Visit, event: &Event) -> Option<UndoView> {
    let is_closed = event.state() == State::Closed;
    let (action, is_current) = match flash::parameter(visit, "done")?.as_str() {
        "closed" => ("open", is_closed && !event.archived),
        "opened" => ("close", !is_closed),
        "archived" => ("unarchive", event.archived),
        "unarchived" => ("archive", !event.archived),
        "capacity" => return capacity(visit, event),
        _ => return None,
    };
    is_current.then_some(UndoView {
        action,
        fields: Vec::new(),
    })
}

fn capacity(visit: &Visit, event: &Event) -> Option<UndoView> {
    let value = |name| inputs::parse_capacity(&flash::parameter(visit, name)?).ok();
    let (before, after) = (value(WAS)?, value(SET)?);
    (after == event.capacity && before != after).then(|| UndoView {
        action: "capacity",
        fields: vec![
            ("capacity", inputs::capacity(before)),
            ("was_capacity", inputs::capacity(event.capacity)),
        ],
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::http::pages::samples;

    fn undo(query: &str, event: &Event) -> Option<(&'static str, String)> {
        let undo = of(&samples::answered(query), event)?;
        let fields = undo.fields.iter().map(|(_, value)| value.as_str());
        Some((undo.action, fields.collect::<Vec<_>>().join(",")))
    }

    #[test]
    fn an_action_is_undone_unless_somebody_was_faster() {
        let open = samples::event();
        let closed = Event {
            closed: true,
            ..samples::event()
        };
        let archived = Event {
            archived: true,
            ..closed.clone()
        };
        let plain = |action| Some((action, String::new()));
        assert_eq!(undo("done=closed", &closed), plain("open"));
        assert_eq!(undo("done=closed", &open), None);
        assert_eq!(undo("done=closed", &archived), None, "it cannot be opened");
        assert_eq!(undo("done=opened", &open), plain("close"));
        assert_eq!(undo("done=archived", &archived), plain("unarchive"));
        assert_eq!(undo("done=unarchived", &closed), plain("archive"));
        assert_eq!(undo("done=reset", &open), None);
        assert_eq!(undo("", &open), None);
    }

    #[test]
    fn a_capacity_goes_back_to_what_it_was() {
        let event = samples::event();
        let back = |values: &str| Some(("capacity", values.to_owned()));
        assert_eq!(undo("done=capacity&was=90&set=100", &event), back("90,100"));
        let unlimited = undo("done=capacity&was=&set=100", &event);
        assert_eq!(unlimited, back(",100"), "no limit");
        for nothing in [
            "done=capacity&was=100&set=100",
            "done=capacity&was=90&set=80",
            "done=capacity&was=90",
            "done=capacity&was=x&set=100",
            "done=capacity",
        ] {
            assert_eq!(undo(nothing, &event), None, "{nothing}");
        }
    }
}
