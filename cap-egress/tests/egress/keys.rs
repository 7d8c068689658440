//! Client keys and chains as tools write them and as people paste them.

use cap_egress::ClientIdentity;
use cap_testkit::Authority;

#[test]
fn keys_are_read_in_each_form_that_openssl_writes() {
    let (rsa, ec) = (include_str!("keys/rsa.crt"), include_str!("keys/ec.crt"));
    for (form, chain, key) in [
        ("PKCS #1", rsa, include_str!("keys/rsa-pkcs1.key")),
        ("PKCS #8", rsa, include_str!("keys/rsa-pkcs8.key")),
        ("SEC 1, parameters first", ec, include_str!("keys/ec-sec1.key")),
    ] {
        let read = ClientIdentity::from_pem(chain.as_bytes(), key.as_bytes());
        assert!(read.is_ok(), "{form}: {read:?}");
        let windows = key.replace('\n', "\r\n");
        let read = ClientIdentity::from_pem(chain.as_bytes(), windows.as_bytes());
        assert!(read.is_ok(), "{form} with CRLF: {read:?}");
    }
}

#[test]
fn an_encrypted_key_of_the_old_form_is_recognized() {
    let key = include_str!("keys/rsa-pkcs1.key").replacen(
        "KEY-----\n",
        "KEY-----\nProc-Type: 4,ENCRYPTED\nDEK-Info: AES-128-CBC,00\n\n",
        1,
    );
    let error =
        ClientIdentity::from_pem(include_bytes!("keys/rsa.crt"), key.as_bytes()).unwrap_err();
    assert!(error.to_string().contains("encrypted key"), "{error}");
    assert!(error.is_client_key());
}

#[test]
fn a_certificate_pasted_for_the_key_is_recognized() {
    let chain = include_bytes!("keys/rsa.crt");
    let error = ClientIdentity::from_pem(chain, chain).unwrap_err();
    assert!(error.to_string().contains("holds a certificate"), "{error}");
    assert!(error.is_client_key());
    let empty = b"-----BEGIN PRIVATE KEY-----\nMAA=\n-----END PRIVATE KEY-----\n";
    let error = ClientIdentity::from_pem(chain, empty).unwrap_err();
    assert!(error.is_client_key(), "{error}");
    let error = ClientIdentity::from_pem(b"", chain).unwrap_err();
    assert!(!error.is_client_key(), "{error}");
}

#[test]
fn a_chain_starts_with_the_client_followed_by_issuers() {
    let (root, stranger) = (Authority::new(), Authority::new());
    let client = root.client("client.example");
    let key = client.key_pem.clone();
    let (client, root, stranger) = (client.chain_pem, root.ca_pem(), stranger.ca_pem());
    let read = |chain: &[&str]| {
        ClientIdentity::from_pem(chain.concat().as_bytes(), key.as_bytes())
            .map_err(|error| error.to_string())
    };
    assert!(read(&[&client, &root]).is_ok());
    for (chain, advice) in [
        ([&root, &client], "the client's own certificate first"),
        ([&client, &stranger], "certificate 2 of the client"),
    ] {
        let said = read(&chain.map(String::as_str)).unwrap_err();
        assert!(said.contains(advice), "{said}");
    }
}
