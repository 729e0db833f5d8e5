use crate::support::{Account, refusal};

const SSH: &str = include_str!("../data/public.ssh");
const PEM: &str = include_str!("../data/public.pem");
/// As `ssh-keygen -l -E md5` tells it.
const FINGERPRINT: &str = "20:6f:5e:cd:8e:a8:6e:e4:f8:7c:08:1b:db:9a:79:43";

async fn upload(account: &Account, body: &str) -> String {
    let made = account.ok("UploadSSHPublicKey", &[("UserName", "alice"), ("SSHPublicKeyBody", body)]).await;
    made.xml("SSHPublicKeyId").unwrap().to_owned()
}

#[tokio::test]
async fn a_key_comes_back_in_both_forms() {
    for uploaded in [SSH, PEM] {
        let account = Account::new().await;
        account.user("alice").await;
        let id = upload(&account, uploaded).await;
        assert!(id.starts_with("APKA"), "{id}");
        let get = async |encoding: &str| {
            let ask = [("UserName", "alice"), ("SSHPublicKeyId", id.as_str()), ("Encoding", encoding)];
            account.ok("GetSSHPublicKey", &ask).await
        };
        let ssh = get("SSH").await;
        assert_eq!((ssh.xml("Fingerprint"), ssh.xml("Status")), (Some(FINGERPRINT), Some("Active")));
        let (kind, letters) = SSH.trim().rsplit_once(' ').unwrap().0.split_once(' ').unwrap();
        assert!(ssh.xml("SSHPublicKeyBody").unwrap().starts_with(&format!("{kind} {letters}")));
        let pem = get("PEM").await;
        assert_eq!(pem.xml("SSHPublicKeyBody").map(str::trim), Some(PEM.trim()));
    }
}

#[tokio::test]
async fn a_key_is_listed_switched_off_and_deleted_by_its_own_user() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    let id = upload(&account, SSH).await;
    let (alice, key) = (("UserName", "alice"), ("SSHPublicKeyId", id.as_str()));
    account.ok("UpdateSSHPublicKey", &[alice, key, ("Status", "Inactive")]).await;
    let listed = account.ok("ListSSHPublicKeys", &[alice]).await;
    assert_eq!((listed.xml("SSHPublicKeyId"), listed.xml("Status")), (Some(id.as_str()), Some("Inactive")));
    assert_eq!(
        account.refused("UpdateSSHPublicKey", &[alice, key, ("Status", "Expired")]).await.1,
        "ValidationError"
    );
    let gone = refusal(404, "NoSuchEntity", format!("The SSH Public Key with id {id} cannot be found"));
    assert_eq!(account.refused("DeleteSSHPublicKey", &[("UserName", "bob"), key]).await, gone);
    let conflict = "Cannot delete entity, must delete SSH public keys first.";
    assert_eq!(account.refused("DeleteUser", &[alice]).await, refusal(409, "DeleteConflict", conflict));
    account.ok("DeleteSSHPublicKey", &[alice, key]).await;
    assert_eq!(account.refused("DeleteSSHPublicKey", &[alice, key]).await, gone);
    account.ok("DeleteUser", &[alice]).await;
}

#[tokio::test]
async fn what_is_no_rsa_key_of_its_own_is_refused() {
    let account = Account::new().await;
    account.user("alice").await;
    let ed25519 =
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIJdD7y3aLq454yWBdwLWbieU1ebz9/cu7/QEXn9OIeZJ alice@example";
    for (body, status, code) in [
        ("nothing", 400, "UnrecognizedPublicKeyEncoding"),
        ("-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----", 400, "UnrecognizedPublicKeyEncoding"),
        (ed25519, 400, "InvalidPublicKey"),
    ] {
        let ask = [("UserName", "alice"), ("SSHPublicKeyBody", body)];
        let refused = account.refused("UploadSSHPublicKey", &ask).await;
        assert_eq!((refused.0, refused.1.as_str()), (status, code), "{body}");
    }
    upload(&account, SSH).await;
    for same in [SSH, PEM] {
        let ask = [("UserName", "alice"), ("SSHPublicKeyBody", same)];
        let refused = account.refused("UploadSSHPublicKey", &ask).await;
        assert_eq!((refused.0, refused.1.as_str()), (400, "DuplicateSSHPublicKey"));
    }
}
