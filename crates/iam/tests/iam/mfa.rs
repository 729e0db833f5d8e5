//! Virtual MFA devices: made, enabled with two codes, synchronised, deactivated, deleted.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use daypass_core::Clock as _;
use daypass_core::mfa::shown_code;

use crate::support::{Account, Refusal, refusal};

/// A device and the seed that an app has of it.
pub(crate) struct Device {
    serial: String,
    seed: Vec<u8>,
}

impl Device {
    pub(crate) async fn new(account: &Account, name: &str) -> Self {
        let made = account.ok("CreateVirtualMFADevice", &[("VirtualMFADeviceName", name)]).await;
        let letters = STANDARD.decode(made.xml("Base32StringSeed").unwrap()).unwrap();
        assert_eq!(letters.len(), 64);
        let seed = data_encoding::BASE32.decode(&letters).unwrap();
        Self { serial: made.xml("SerialNumber").unwrap().to_owned(), seed }
    }

    /// The codes of so many seconds from now, and of the step after it.
    fn codes(&self, account: &Account, seconds: i64) -> [String; 2] {
        let now = account.server.clock.now();
        [0, 30].map(|step| shown_code(&self.seed, now.plus_seconds(seconds + step)))
    }

    /// What a request with these codes says.
    fn asks<'a>(&'a self, user: &'a str, codes: &'a [String; 2]) -> [(&'a str, &'a str); 4] {
        [
            ("UserName", user),
            ("SerialNumber", &self.serial),
            ("AuthenticationCode1", &codes[0]),
            ("AuthenticationCode2", &codes[1]),
        ]
    }

    pub(crate) async fn enable(&self, account: &Account, user: &str, seconds: i64) {
        account.ok("EnableMFADevice", &self.asks(user, &self.codes(account, seconds))).await;
    }
}

fn invalid() -> Refusal {
    refusal(403, "InvalidAuthenticationCode", "Authentication code for device is not valid.")
}

#[tokio::test]
async fn a_device_is_made_with_a_seed_and_a_picture_and_shown_without() {
    let account = Account::new().await;
    let name = [("VirtualMFADeviceName", "phone"), ("Path", "/dev/")];
    let made = account.ok("CreateVirtualMFADevice", &name).await;
    let serial = "arn:aws:iam::123456789012:mfa/dev/phone";
    assert_eq!(made.xml("SerialNumber"), Some(serial));
    let picture = STANDARD.decode(made.xml("QRCodePNG").unwrap()).unwrap();
    assert_eq!(picture.get(..8), Some(&b"\x89PNG\r\n\x1a\n"[..]));
    let seed = made.xml("Base32StringSeed").unwrap();
    let listed = account.ok("ListVirtualMFADevices", &[]).await;
    assert_eq!(listed.xml_all("SerialNumber"), [serial]);
    assert!(!listed.body.contains(seed) && !listed.body.contains("QRCodePNG"));
    assert!(account.server.audit().iter().all(|record| !record.event.contains(seed)));
    let words = "MFADevice entity at the same path and name already exists.";
    let again = account.refused("CreateVirtualMFADevice", &name).await;
    assert_eq!(again, refusal(409, "EntityAlreadyExists", words));
    account.ok("DeleteVirtualMFADevice", &[("SerialNumber", serial)]).await;
    let gone = format!("VirtualMFADevice with serial number {serial} doesn't exist.");
    let refused = account.refused("DeleteVirtualMFADevice", &[("SerialNumber", serial)]).await;
    assert_eq!(refused, refusal(404, "NoSuchEntity", gone));
}

#[tokio::test]
async fn two_codes_in_a_row_make_it_a_user_s() {
    let account = Account::new().await;
    account.user("alice").await;
    let device = Device::new(&account, "phone").await;
    let codes = device.codes(&account, -30);
    let [first, second] = codes.clone();
    for wrong in [
        [second.clone(), first.clone()],
        [first.clone(), first.clone()],
        ["000000".to_owned(), second.clone()],
        [first.clone(), "000000".to_owned()],
    ] {
        assert_eq!(account.refused("EnableMFADevice", &device.asks("alice", &wrong)).await, invalid());
    }
    account.ok("EnableMFADevice", &device.asks("alice", &codes)).await;
    let listed = account.ok("ListMFADevices", &[("UserName", "alice")]).await;
    assert_eq!(listed.xml("SerialNumber"), Some(device.serial.as_str()));
    assert_eq!(listed.xml("EnableDate"), Some("2026-11-22T02:14:00Z"));
    let told = account.ok("GetMFADevice", &[("UserName", "alice"), ("SerialNumber", &device.serial)]).await;
    assert_eq!((told.xml("UserName"), told.xml("EnableDate")), (Some("alice"), Some("2026-11-22T02:14:00Z")));
    let words = "MFADevice is already in use.";
    let again = account.refused("EnableMFADevice", &device.asks("alice", &codes)).await;
    assert_eq!(again, refusal(409, "EntityAlreadyExists", words));
    let delete = account.refused("DeleteVirtualMFADevice", &[("SerialNumber", &device.serial)]).await;
    assert_eq!(delete, refusal(409, "DeleteConflict", "MFA VirtualDevice in use. Must deactivate first."));
    let delete = account.refused("DeleteUser", &[("UserName", "alice")]).await;
    assert_eq!(delete, refusal(409, "DeleteConflict", "Cannot delete entity, must delete MFA device first."));
}

#[tokio::test]
async fn a_clock_may_be_five_minutes_wrong_when_it_is_enabled_and_an_hour_when_synchronised() {
    let account = Account::new().await;
    account.user("alice").await;
    let device = Device::new(&account, "phone").await;
    for far in [330, -390] {
        let codes = device.codes(&account, far);
        assert_eq!(account.refused("EnableMFADevice", &device.asks("alice", &codes)).await, invalid());
    }
    device.enable(&account, "alice", -330).await;
    let ask = |codes: [String; 2]| {
        let (account, device) = (&account, &device);
        async move { account.administrator.query("iam", "ResyncMFADevice", &device.asks("alice", &codes)).await }
    };
    ask(device.codes(&account, 3540)).await.ok();
    // Codes from before the last one that was taken are not taken again.
    assert_eq!(ask(device.codes(&account, 0)).await.refused().0, "InvalidAuthenticationCode");
    account.server.clock.advance(3000);
    assert_eq!(ask(device.codes(&account, 3660)).await.refused().0, "InvalidAuthenticationCode");
    ask(device.codes(&account, 3540)).await.ok();
}

#[tokio::test]
async fn a_device_that_is_deactivated_is_nobody_s() {
    let account = Account::new().await;
    account.user("alice").await;
    account.user("bob").await;
    let device = Device::new(&account, "phone").await;
    device.enable(&account, "alice", -30).await;
    let serial = ("SerialNumber", device.serial.as_str());
    let invalid = refusal(404, "NoSuchEntity", "MFA Device invalid for user.");
    for action in ["DeactivateMFADevice", "GetMFADevice"] {
        assert_eq!(account.refused(action, &[("UserName", "bob"), serial]).await, invalid);
    }
    let assigned = account.ok("ListVirtualMFADevices", &[("AssignmentStatus", "Assigned")]).await;
    assert_eq!((assigned.xml("UserName"), assigned.xml("EnableDate").is_some()), (Some("alice"), true));
    // A user that is renamed keeps it.
    account.ok("UpdateUser", &[("UserName", "alice"), ("NewUserName", "alicia")]).await;
    let listed = account.ok("ListVirtualMFADevices", &[]).await;
    assert_eq!(listed.xml("UserName"), Some("alicia"));
    account.ok("DeactivateMFADevice", &[("UserName", "alicia"), serial]).await;
    assert!(account.ok("ListMFADevices", &[("UserName", "alicia")]).await.xml_all("SerialNumber").is_empty());
    let free = account.ok("ListVirtualMFADevices", &[("AssignmentStatus", "Unassigned")]).await;
    assert_eq!(free.xml("SerialNumber"), Some(device.serial.as_str()));
    assert!(
        account
            .ok("ListVirtualMFADevices", &[("AssignmentStatus", "Assigned")])
            .await
            .xml("SerialNumber")
            .is_none()
    );
    account.server.clock.advance(60);
    device.enable(&account, "bob", -30).await;
}

#[tokio::test]
async fn a_user_has_eight_devices_at_most_listed_in_pages() {
    let account = Account::new().await;
    account.user("alice").await;
    let mut last = None;
    for number in 0..9 {
        let device = Device::new(&account, &format!("d{number}")).await;
        if number < 8 {
            device.enable(&account, "alice", -30).await;
        }
        last = Some(device);
    }
    let last = last.unwrap();
    let codes = last.codes(&account, -30);
    let full = refusal(409, "LimitExceeded", "Cannot exceed quota for MFADevicesPerUser: 8");
    assert_eq!(account.refused("EnableMFADevice", &last.asks("alice", &codes)).await, full);
    for (action, user) in [("ListMFADevices", Some(("UserName", "alice"))), ("ListVirtualMFADevices", None)] {
        let (mut seen, mut marker): (Vec<String>, Option<String>) = (vec![], None);
        loop {
            let mut ask = vec![("MaxItems", "3")];
            ask.extend(user);
            ask.extend(marker.as_deref().map(|marker| ("Marker", marker)));
            let page = account.ok(action, &ask).await;
            seen.extend(
                page.xml_all("SerialNumber").into_iter().map(|s| s.chars().last().unwrap().to_string()),
            );
            match page.xml("Marker") {
                Some(next) => marker = Some(next.to_owned()),
                None => break,
            }
        }
        assert_eq!(seen.concat(), if user.is_some() { "01234567" } else { "012345678" }, "{action}");
    }
    let summary = account.ok("GetAccountSummary", &[]).await;
    for (key, value) in [("MFADevices", "9"), ("MFADevicesInUse", "8")] {
        let entry = format!("<key>{key}</key><value>{value}</value>");
        assert!(summary.body.contains(&entry), "{entry}");
    }
}

#[tokio::test]
async fn guesses_at_a_device_are_slowed_down() {
    let account = Account::new().await;
    account.user("alice").await;
    let device = Device::new(&account, "phone").await;
    let wrong = ["000000".to_owned(), "000001".to_owned()];
    for _ in 0..5 {
        account.refused("EnableMFADevice", &device.asks("alice", &wrong)).await;
    }
    let right = device.codes(&account, -30);
    assert_eq!(account.refused("EnableMFADevice", &device.asks("alice", &right)).await, invalid());
    account.server.clock.advance(30);
    account.ok("EnableMFADevice", &device.asks("alice", &right)).await;
}
