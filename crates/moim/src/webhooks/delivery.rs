//! One attempt to deliver an event, over the network.

use std::{sync::Arc, time::Duration};

use axum::http::{HeaderValue, Request, header};
use bytes::Bytes;

use super::{
    failure::{Failure, Outcome},
    livekit,
    outbox::Attempt,
    standard,
    target::Targets,
    webhook::{Form, Webhook},
};
use crate::{access::Access, config::WebhookSecret, net::http_client::HttpClient, store::ids};

/// Time for an attempt, from the look-up of the name to the head of the response.
const TIMEOUT: Duration = Duration::from_secs(10);
/// Length of a failure as it is shown, in characters.
const MAX_FAILURE_CHARS: usize = 200;

/// Shared parts of attempts.
#[derive(Clone)]
pub(super) struct Sender {
    pub(super) client: HttpClient,
    pub(super) access: Arc<Access>,
}

impl Sender {
    /// Sends an event to its receiver. Redirects are not followed: they could lead inside, and to
    /// whoever took over the old address.
    pub(super) async fn deliver(
        &self,
        webhook: &Webhook,
        attempt: &Attempt,
        allows_private: bool,
    ) -> Outcome {
        let request = match self.request(webhook, attempt) {
            Ok(request) => request,
            Err(failure) => return Outcome::Failed(failure),
        };
        let targets = Targets::new(allows_private);
        let permits = move |address| targets.permits(address);
        match self.client.status_of(request, TIMEOUT, permits).await {
            Ok(status) => Outcome::of(status),
            Err(error) => {
                let text = format!("{error:#}").chars().take(MAX_FAILURE_CHARS).collect();
                Outcome::Failed(Failure::NoAnswer(text))
            }
        }
    }

    fn request(&self, webhook: &Webhook, attempt: &Attempt) -> Result<Request<Bytes>, Failure> {
        let now = ids::now();
        let body = &*attempt.body;
        let (media, headers) = match &webhook.form {
            Form::Standard => {
                let secret = WebhookSecret::parse(&webhook.secret);
                let secret = secret.ok_or_else(|| Failure::NoAnswer("no secret".to_owned()))?;
                let headers = standard::headers(&secret, attempt.id, now, body);
                (standard::MEDIA_TYPE, headers.to_vec())
            }
            Form::LiveKit { api_key } => {
                let key = self.access.api_key(api_key);
                let key = key.ok_or_else(|| Failure::NoKey(api_key.clone()))?;
                let token = livekit::authorization(&key, now, body);
                (livekit::MEDIA_TYPE, vec![("authorization", token)])
            }
        };
        let mut request = Request::post(webhook.url.as_str())
            .header(header::CONTENT_TYPE, media)
            .header(header::USER_AGENT, concat!("moim/", env!("CARGO_PKG_VERSION")))
            .header(header::CONTENT_LENGTH, body.len());
        for (name, text) in headers {
            let mut value = HeaderValue::try_from(text)
                .map_err(|_| Failure::NoAnswer("a header can't be sent".to_owned()))?;
            value.set_sensitive(true);
            request = request.header(name, value);
        }
        let body = Bytes::copy_from_slice(body.as_bytes());
        request.body(body).map_err(|error| Failure::NoAnswer(error.to_string()))
    }
}
