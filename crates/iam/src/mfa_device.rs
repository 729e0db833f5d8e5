//! MFA devices: `CreateVirtualMFADevice`, `EnableMFADevice`, `ResyncMFADevice`, `DeactivateMFADevice`,
//! `DeleteVirtualMFADevice` and what lists them.
//!
//! The API makes virtual devices only. Security keys are registered in the console, and hardware tokens are sold with
//! seeds that only their maker and AWS have; of both there is none here.

use daypass_core::mfa::{self, ENABLE_WINDOW, RESYNC_WINDOW, Unproved};
use daypass_core::model::Blob;
use daypass_core::model::iam::{
    AssignmentStatusType, CreateVirtualMFADeviceRequest, CreateVirtualMFADeviceResponse,
    DeactivateMFADeviceRequest, DeleteVirtualMFADeviceRequest, EnableMFADeviceRequest, GetMFADeviceRequest,
    GetMFADeviceResponse, ListMFADevicesRequest, ListMFADevicesResponse, ListVirtualMFADevicesRequest,
    ListVirtualMFADevicesResponse, MFADevice as ApiMfaDevice, ResyncMFADeviceRequest, VirtualMFADevice, ops,
};
use daypass_core::store::records::{
    Account, Indexed as _, MfaAssignment, MfaDevice, MfaProgress, MfaUser, Tag, UniqueId, User,
};
use daypass_core::store::{Read as _, Record as _, StoreError, Tx};
use daypass_core::{Check, Checks, Cx, Error, Fault, Secret, operation};

use crate::entity::{self, Entity, Tagged};
use crate::fault::{already_exists, delete_conflict, invalid_code, no_such_entity, over_quota};
use crate::paging::{Page, Paging};
use crate::{qr, quota, tag, user};

operation!(CREATE_VIRTUAL_MFA_DEVICE, ops::CreateVirtualMFADevice, create_checks, create);
operation!(
    ENABLE_MFA_DEVICE,
    ops::EnableMFADevice,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    enable
);
operation!(
    RESYNC_MFA_DEVICE,
    ops::ResyncMFADevice,
    |cx, tx, input| Ok(User::check(cx, tx, &input.user_name)?.into()),
    resync
);
operation!(
    DEACTIVATE_MFA_DEVICE,
    ops::DeactivateMFADevice,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    deactivate
);
operation!(
    DELETE_VIRTUAL_MFA_DEVICE,
    ops::DeleteVirtualMFADevice,
    |cx, tx, input| Ok(MfaDevice::check(cx, tx, &input.serial_number)?.into()),
    delete
);
operation!(
    GET_MFA_DEVICE,
    ops::GetMFADevice,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    get
);
operation!(
    LIST_MFA_DEVICES,
    ops::ListMFADevices,
    |cx, tx, input| Ok(user::check(cx, tx, input.user_name.as_deref())?.into()),
    list
);
operation!(
    LIST_VIRTUAL_MFA_DEVICES,
    ops::ListVirtualMFADevices,
    |cx, _, _| Ok(Check::on_all(cx.operation().action).into()),
    list_virtual
);

impl Entity for MfaDevice {
    fn find(cx: &Cx, tx: &Tx<'_>, handle: &str) -> Result<Option<Self>, StoreError> {
        let Some(key) = Self::key_of_serial(&cx.account(), handle) else { return Ok(None) };
        Ok(tx.get::<Self>(&key)?.filter(|device| device.serial() == handle))
    }

    fn missing(handle: &str) -> Fault {
        no_such_entity(format!("VirtualMFADevice with serial number {handle} doesn't exist."))
    }

    fn arn(&self) -> String {
        self.serial()
    }

    /// What is no serial number of a virtual device is a resource that only `*` covers.
    fn arn_of(cx: &Cx, handle: &str) -> String {
        match Self::key_of_serial(&cx.account(), handle) {
            Some(_) => handle.to_owned(),
            None => "*".to_owned(),
        }
    }

    fn tags(&self) -> &[Tag] {
        &self.tags
    }
}

impl Tagged for MfaDevice {
    fn tags_mut(&mut self) -> &mut Vec<Tag> {
        &mut self.tags
    }
}

fn create_checks(cx: &Cx, _: &Tx<'_>, input: &CreateVirtualMFADeviceRequest) -> Result<Checks, StoreError> {
    let path = input.path.as_deref().unwrap_or("/");
    let arn = entity::arn(cx, "mfa", path, &input.virtual_mfa_device_name);
    Ok(tag::creating(Check::new(cx.operation().action, arn.clone()), "iam:TagMFADevice", &arn, &input.tags))
}

fn create(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: CreateVirtualMFADeviceRequest,
) -> Result<CreateVirtualMFADeviceResponse, Error> {
    let tags = tag::read(input.tags)?;
    let seed: Vec<u8> = [cx.ids().secret_bytes(), cx.ids().secret_bytes()].concat();
    let seed = Secret::new(seed.into_iter().take(mfa::SEED_BYTES).collect::<Vec<u8>>());
    let (account, path) = (cx.account(), input.path.unwrap_or_else(|| "/".to_owned()));
    let name = input.virtual_mfa_device_name;
    let serial = entity::arn(cx, "mfa", &path, &name);
    let sealed = mfa::seal(cx.state(), &serial, &seed)?;
    let device =
        MfaDevice { account, path, name, created: cx.now().truncated(), seed: sealed, tags, user: None };
    if tx.get::<MfaDevice>(&device.key())?.is_some() {
        return Err(already_exists("MFADevice entity at the same path and name already exists.").into());
    }
    quota::room_for_device(cx)?;
    device.save(tx)?;
    let letters = data_encoding::BASE32_NOPAD.encode(seed.expose());
    // AWS says that the account's name is the user's, or else the account's id (IAM API reference, VirtualMFADevice);
    // whose device it becomes is not said yet.
    let account = tx.get::<Account>(&Account::key_of(&device.account))?.and_then(|account| account.alias);
    let account = account.unwrap_or_else(|| device.account.to_string());
    let address = format!(
        "otpauth://totp/Amazon%20Web%20Services:{}@{account}?secret={letters}&issuer=Amazon%20Web%20Services",
        device.name
    );
    let picture = qr::png(&address).ok_or_else(|| cx.internal_failure())?;
    Ok(CreateVirtualMFADeviceResponse {
        virtual_mfa_device: VirtualMFADevice {
            serial_number: serial,
            base32_string_seed: Some(Blob(letters.into_bytes())),
            qr_code_png: Some(Blob(picture)),
            tags: tag::shown_if_any(&device.tags),
            ..VirtualMFADevice::default()
        },
    })
}

fn enable(cx: &Cx, tx: &mut Tx<'_>, input: EnableMFADeviceRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let mut device = MfaDevice::load(cx, tx, &input.serial_number)?;
    if device.user.is_some() {
        return Err(already_exists("MFADevice is already in use.").into());
    }
    if of_user(tx, &user)?.len() >= quota::MFA_DEVICES_PER_USER {
        return Err(over_quota("MFADevicesPerUser", quota::MFA_DEVICES_PER_USER).into());
    }
    let codes = [input.authentication_code1.as_str(), input.authentication_code2.as_str()];
    let proof = mfa::prove_consecutive(cx, tx, &device, codes, ENABLE_WINDOW).map_err(unproved)?;
    proof.consume(tx)?;
    let enabled = cx.now().truncated();
    tx.put(&MfaAssignment {
        account: user.account.clone(),
        user_id: user.id.clone(),
        serial: device.serial(),
        enabled,
    })?;
    device.user = Some(MfaUser { id: user.id, enabled });
    Ok(device.save(tx)?)
}

fn resync(cx: &Cx, tx: &mut Tx<'_>, input: ResyncMFADeviceRequest) -> Result<(), Error> {
    let user = User::load(cx, tx, &input.user_name)?;
    let device = load_of(tx, &user, &input.serial_number)?;
    let codes = [input.authentication_code1.as_str(), input.authentication_code2.as_str()];
    let proof = mfa::prove_consecutive(cx, tx, &device, codes, RESYNC_WINDOW).map_err(unproved)?;
    Ok(proof.consume(tx)?)
}

fn deactivate(cx: &Cx, tx: &mut Tx<'_>, input: DeactivateMFADeviceRequest) -> Result<(), Error> {
    if user::is_root(cx, input.user_name.as_deref()) {
        return Err(not_of_user().into());
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let mut device = load_of(tx, &user, &input.serial_number)?;
    tx.delete(&MfaAssignment::key_of(&user.account, &user.id, &input.serial_number));
    // What codes were used stays: they must not enable the device again.
    device.user = None;
    Ok(device.save(tx)?)
}

fn delete(cx: &Cx, tx: &mut Tx<'_>, input: DeleteVirtualMFADeviceRequest) -> Result<(), Error> {
    let device = MfaDevice::load(cx, tx, &input.serial_number)?;
    if device.user.is_some() {
        return Err(delete_conflict("MFA VirtualDevice in use. Must deactivate first.").into());
    }
    tx.delete(&MfaProgress::key_of(&input.serial_number));
    Ok(device.remove(tx)?)
}

fn get(cx: &Cx, tx: &mut Tx<'_>, input: GetMFADeviceRequest) -> Result<GetMFADeviceResponse, Error> {
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let device = load_of(tx, &user, &input.serial_number)?;
    Ok(GetMFADeviceResponse {
        user_name: Some(user.name),
        serial_number: device.serial(),
        enable_date: device.user.map(|user| user.enabled),
        certifications: None,
    })
}

fn list(cx: &Cx, tx: &mut Tx<'_>, input: ListMFADevicesRequest) -> Result<ListMFADevicesResponse, Error> {
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    if user::is_root(cx, input.user_name.as_deref()) {
        let Page { items, is_truncated, marker } = paging.list(vec![])?;
        return Ok(ListMFADevicesResponse { mfa_devices: items, is_truncated, marker });
    }
    let user = user::load(cx, tx, input.user_name.as_deref())?;
    let Page { items, is_truncated, marker } = paging.list(of_user(tx, &user)?)?.map(|device| ApiMfaDevice {
        user_name: user.name.clone(),
        serial_number: device.serial,
        enable_date: device.enabled,
    });
    Ok(ListMFADevicesResponse { mfa_devices: items, is_truncated, marker })
}

fn list_virtual(
    cx: &Cx,
    tx: &mut Tx<'_>,
    input: ListVirtualMFADevicesRequest,
) -> Result<ListVirtualMFADevicesResponse, Error> {
    let account = cx.account();
    let wanted = |device: &MfaDevice| match input.assignment_status {
        Some(AssignmentStatusType::Assigned) => device.user.is_some(),
        Some(AssignmentStatusType::Unassigned) => device.user.is_none(),
        Some(AssignmentStatusType::Any) | None => true,
    };
    let paging = Paging::new(cx, input.marker.as_deref(), input.max_items)?;
    let key_of = |place: &str| MfaDevice::key_of(&account, place);
    let page = paging.records(tx, &MfaDevice::all(&account), key_of, wanted)?;
    let Page { items, is_truncated, marker } = page.try_map(|device| shown(tx, &device))?;
    Ok(ListVirtualMFADevicesResponse { virtual_mfa_devices: items, is_truncated, marker })
}

/// The device without its seed.
fn shown(tx: &Tx<'_>, device: &MfaDevice) -> Result<VirtualMFADevice, StoreError> {
    let owner = match &device.user {
        Some(owner) => tx.get::<UniqueId>(&UniqueId::key_of(&owner.id))?,
        None => None,
    };
    let user = match owner {
        Some(owner) => tx.get::<User>(&User::key_of(&owner.account, &owner.name))?,
        None => None,
    };
    Ok(VirtualMFADevice {
        serial_number: device.serial(),
        user: user.as_ref().map(user::listed),
        enable_date: device.user.as_ref().map(|user| user.enabled),
        ..VirtualMFADevice::default()
    })
}

/// The devices of a user.
pub(crate) fn of_user(tx: &Tx<'_>, user: &User) -> Result<Vec<MfaAssignment>, StoreError> {
    tx.all(&MfaAssignment::all_of(&user.account, &user.id))
}

/// A device of that very user.
fn load_of(tx: &Tx<'_>, user: &User, serial: &str) -> Result<MfaDevice, Error> {
    let device = mfa::assigned(tx, &user.account, &user.id, serial)?;
    device.ok_or_else(|| not_of_user().into())
}

fn not_of_user() -> Fault {
    no_such_entity("MFA Device invalid for user.")
}

fn unproved(why: Unproved) -> Error {
    match why {
        Unproved::NotAssociated | Unproved::WrongCode => invalid_code().into(),
        Unproved::Failed(error) => error.into(),
    }
}
