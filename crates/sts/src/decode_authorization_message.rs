//! `sts:DecodeAuthorizationMessage`: the reasons of a refusal, from the message that EC2 gave with it.

use daypass_core::model::sts::{DecodeAuthorizationMessageRequest, DecodeAuthorizationMessageResponse, ops};
use daypass_core::store::{StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Purpose, operation};

operation!(DECODE_AUTHORIZATION_MESSAGE, ops::DecodeAuthorizationMessage, checks, run);

fn checks(_: &Cx, _: &Tx<'_>, _: &DecodeAuthorizationMessageRequest) -> Result<Checks, StoreError> {
    Ok(Check::on_all("sts:DecodeAuthorizationMessage").into())
}

fn run(
    cx: &Cx,
    _: &mut Tx<'_>,
    input: DecodeAuthorizationMessageRequest,
) -> Result<DecodeAuthorizationMessageResponse, Error> {
    let account = cx.account();
    let opened =
        cx.state().ring.open(Purpose::Message, account.as_str().as_bytes(), input.encoded_message.trim());
    let text = opened.ok().and_then(|plain| String::from_utf8(plain.expose().clone()).ok());
    let invalid = || {
        let words = "Message is not valid";
        Fault::coded("InvalidAuthorizationMessageException", 400, words)
    };
    Ok(DecodeAuthorizationMessageResponse { decoded_message: Some(text.ok_or_else(invalid)?) })
}

#[cfg(test)]
mod tests {
    use daypass_core::testing::TestServer;

    #[tokio::test]
    async fn what_ec2_refuses_can_be_decoded_by_who_may() {
        let server = TestServer::new(crate::OPERATIONS.iter().copied()).await;
        let nobody = server.user("nobody", &[]).await;
        // EC2 is not part of this server; its operations are authorised all the same.
        let refusal = nobody.query("ec2", "CreateVpc", &[]).await.refused();
        assert_eq!(refusal.0, "UnauthorizedOperation");
        let message =
            refusal.1.split_once("Encoded authorization failure message: ").expect("an encoded message").1;
        let administrator = server.administrator().await;
        let decode = |text: String| {
            let administrator = &administrator;
            async move {
                administrator.query("sts", "DecodeAuthorizationMessage", &[("EncodedMessage", &text)]).await
            }
        };
        let decoded = decode(message.to_owned()).await.ok();
        let text = decoded.xml("DecodedMessage").unwrap_or("").replace("&quot;", "\"");
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        assert_eq!(json.pointer("/context/action").and_then(|v| v.as_str()), Some("ec2:CreateVpc"));
        assert_eq!(json.pointer("/allowed").and_then(|v| v.as_bool()), Some(false));
        assert_eq!(
            json.pointer("/context/principal/arn").and_then(|v| v.as_str()),
            Some("arn:aws:iam::123456789012:user/nobody")
        );
        assert_eq!(
            decode(format!("{message}AAAA")).await.refused().0,
            "InvalidAuthorizationMessageException"
        );
        let refused =
            nobody.query("sts", "DecodeAuthorizationMessage", &[("EncodedMessage", message)]).await.refused();
        assert_eq!(refused.0, "AccessDenied");
    }
}
