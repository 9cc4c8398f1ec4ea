//! The owner's calls for webhooks.

use warp::http::Method;

use super::{Call, JSON, NOTHING, ORGANISER};
use crate::problem::Code;

pub(super) const ALL: &[Call] = &[
    Call {
        path: "/api/v1/webhooks",
        id: "listWebhooks",
        summary: "All webhooks, in the order of their creation",
        answers: &[(200, "The webhooks", &[(JSON, "Webhooks")])],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/webhooks",
        id: "createWebhook",
        summary: "Notify a program or a chat from now on",
        notes: "The answer has the secret that signs the requests (Standard Webhooks 1.0). No other \
            answer has it.",
        body: Some(("NewWebhook", false)),
        answers: &[(201, "Created", &[(JSON, "Webhook")])],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/webhooks/{webhook}",
        id: "getWebhook",
        summary: "One webhook",
        answers: &[(200, "As it is", &[(JSON, "Webhook")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        method: Method::PATCH,
        path: "/api/v1/webhooks/{webhook}",
        id: "changeWebhook",
        summary: "Change, deactivate or activate a webhook",
        body: Some(("WebhookEdit", false)),
        answers: &[(200, "As it is then", &[(JSON, "Webhook")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        method: Method::DELETE,
        path: "/api/v1/webhooks/{webhook}",
        id: "deleteWebhook",
        summary: "Delete a webhook and its deliveries",
        answers: &[(204, "Deleted", NOTHING)],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
    Call {
        path: "/api/v1/webhooks/{webhook}/deliveries",
        id: "listDeliveries",
        summary: "What a webhook was sent in the last 30 days, newest first",
        takes: &["after", "limit"],
        answers: &[(200, "A page of deliveries", &[(JSON, "Deliveries")])],
        refusals: &[Code::NotFound, Code::BadRequest],
        ..ORGANISER
    },
    Call {
        method: Method::POST,
        path: "/api/v1/webhooks/{webhook}/deliveries/{delivery}/resend",
        id: "resendDelivery",
        summary: "Send a delivery again, whatever became of it",
        answers: &[(202, "It waits to be sent", &[(JSON, "Delivery")])],
        refusals: &[Code::NotFound],
        ..ORGANISER
    },
];
