//! Components written by hand, byte by byte: what no toolchain would make.

/// The beginning of every component.
pub(super) const PREAMBLE: [u8; 8] = [0, b'a', b's', b'm', 0x0d, 0, 1, 0];
/// The beginning of every core module.
pub(super) const CORE_MODULE: [u8; 8] = [0, b'a', b's', b'm', 1, 0, 0, 0];

/// A component that imports and exports instances of these names; there is nothing in them.
pub(super) fn component(imports: &[&str], exports: &[&str]) -> Vec<u8> {
    const INSTANCE: u8 = 0x05;
    let mut bytes = PREAMBLE.to_vec();
    // The type of an instance without anything in it.
    section(&mut bytes, 7, 1, &[0x42, 0x00]);
    let imported: Vec<u8> = imports.iter().flat_map(|import| [name(import), vec![INSTANCE, 0]].concat()).collect();
    section(&mut bytes, 10, imports.len(), &imported);
    // An instance without anything in it, numbered behind those imported.
    section(&mut bytes, 5, 1, &[0x01, 0x00]);
    let own = u8::try_from(imports.len()).expect("few");
    let exported: Vec<u8> = exports.iter().flat_map(|export| [name(export), vec![INSTANCE, own, 0]].concat()).collect();
    section(&mut bytes, 11, exports.len(), &exported);
    bytes
}

/// The component with another version of the contract in all its names, of the same length.
pub(super) fn with_version(component: &[u8], from: &str, to: &str) -> Vec<u8> {
    assert_eq!(from.len(), to.len());
    let package = b"ibus:appointments/";
    let mut bytes = component.to_vec();
    let mut replaced = 0;
    for start in 0..bytes.len() {
        if !bytes[start..].starts_with(package) {
            continue;
        }
        let behind = start + package.len();
        let Some(at) = bytes[behind..].iter().take(64).position(|byte| *byte == b'@') else { continue };
        let version = behind + at + 1;
        if bytes[version..].starts_with(from.as_bytes()) {
            bytes[version..version + to.len()].copy_from_slice(to.as_bytes());
            replaced += 1;
        }
    }
    assert!(replaced > 0, "the version is there");
    bytes
}

fn name(text: &str) -> Vec<u8> {
    let mut bytes = vec![0];
    length(&mut bytes, text.len());
    bytes.extend(text.as_bytes());
    bytes
}

/// A section with so many entries.
pub(super) fn section(bytes: &mut Vec<u8>, id: u8, count: usize, content: &[u8]) {
    let mut body = Vec::new();
    length(&mut body, count);
    body.extend(content);
    bytes.push(id);
    length(bytes, body.len());
    bytes.extend(body);
}

/// LEB128.
pub(super) fn length(bytes: &mut Vec<u8>, mut value: usize) {
    loop {
        let low = u8::try_from(value & 0x7f).expect("seven bits");
        value >>= 7;
        bytes.push(if value == 0 { low } else { low | 0x80 });
        if value == 0 {
            return;
        }
    }
}
