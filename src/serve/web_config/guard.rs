//! Authentication, rate limit and headers in front of the handler of all requests.

use std::sync::Arc;

use collectors::host::kernel::clock;

use super::WebConfig;
use super::login::{LoginCheck, Verdict};
use super::metrics::Refusal;
use super::settings::Headers;
use crate::serve::handler::answer::{Answer, Handle};
use crate::serve::request::Request;
use crate::serve::request::Response;

const REALM: &str = "Basic realm=\"node_exporter\", charset=\"UTF-8\"";

/// A handler that passes allowed requests to the next one, and adds the configured headers to each response.
pub(super) struct Guard {
    web_config: Arc<WebConfig>,
    handler: Arc<dyn Handle>,
}

impl Guard {
    pub(super) fn new(web_config: Arc<WebConfig>, handler: Arc<dyn Handle>) -> Self {
        Self { web_config, handler }
    }

    fn settle(&self, verdict: Verdict, request: Request) -> Answer {
        match verdict {
            Verdict::Right => Arc::clone(&self.handler).answer(request),
            Verdict::Wrong => {
                let mut response = self.refuse(Refusal::Login, 401, "Unauthorized");
                response.headers.push(("WWW-Authenticate", REALM.to_owned()));
                Answer::Ready(response)
            }
            Verdict::Busy => {
                let mut response =
                    self.refuse(Refusal::Busy, 503, "Too many logins are being checked, try again later.");
                response.headers.push(("Retry-After", "1".to_owned()));
                Answer::Ready(response)
            }
        }
    }

    fn refuse(&self, refusal: Refusal, status: u16, sentence: &str) -> Response {
        self.web_config.metrics.refuse(refusal);
        Response::plain(status, sentence.to_owned())
    }
}

impl Handle for Guard {
    fn answer(self: Arc<Self>, request: Request) -> Answer {
        let state = self.web_config.state();
        if state.is_broken {
            let sentence = "The web configuration is invalid; see the exporter's log.";
            return with(&state.headers, Answer::Ready(self.refuse(Refusal::Configuration, 500, sentence)));
        }
        if let Err(wait_seconds) = self.web_config.take(clock::monotonic()) {
            let mut response = self.refuse(Refusal::RateLimit, 429, "Too many requests.");
            response.headers.push(("Retry-After", wait_seconds.to_string()));
            return with(&state.headers, Answer::Ready(response));
        }
        let answer = match Arc::clone(&state.logins).check(request.peer(), request.headers_named("authorization")) {
            LoginCheck::Known(verdict) => self.settle(verdict, request),
            LoginCheck::Compare(comparison) => Answer::Job(Box::new(move || self.settle(comparison.run(), request))),
        };
        with(&state.headers, answer)
    }

    fn refused(&self, response: Response) -> Response {
        marked(&self.web_config.state().headers, self.handler.refused(response))
    }
}

fn with(headers: &Arc<Headers>, answer: Answer) -> Answer {
    if headers.is_empty() {
        return answer;
    }
    let headers = Arc::clone(headers);
    answer.map(move |response| marked(&headers, response))
}

fn marked(headers: &Headers, mut response: Response) -> Response {
    response.headers.retain(|(name, _)| headers.iter().all(|(configured, _)| !configured.eq_ignore_ascii_case(name)));
    response.headers.extend(headers.iter().cloned());
    response
}
