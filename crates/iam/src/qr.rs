//! Pictures that phones read.

use qrcode::{Color, QrCode};

/// Pixels of a module's side.
const SCALE: usize = 5;
/// Modules of white around the code (ISO/IEC 18004 asks for four).
const MARGIN: usize = 4;

/// The text as a QR code, as a PNG. `None` for a text that is too long for one.
pub(crate) fn png(text: &str) -> Option<Vec<u8>> {
    let code = QrCode::new(text).ok()?;
    let (modules, colors) = (code.width(), code.to_colors());
    let side = (modules + 2 * MARGIN) * SCALE;
    let dark = |x: usize, y: usize| {
        let module = |pixel: usize| (pixel / SCALE).checked_sub(MARGIN).filter(|at| *at < modules);
        let at = module(x).zip(module(y)).map(|(x, y)| y * modules + x);
        at.and_then(|at| colors.get(at)) == Some(&Color::Dark)
    };
    let pixels: Vec<u8> = (0..side)
        .flat_map(|y| (0..side).map(move |x| (x, y)))
        .map(|(x, y)| if dark(x, y) { 0 } else { 255 })
        .collect();
    let (mut out, length) = (vec![], u32::try_from(side).ok()?);
    let mut encoder = png::Encoder::new(&mut out, length, length);
    encoder.set_color(png::ColorType::Grayscale);
    encoder.set_depth(png::BitDepth::Eight);
    let mut writer = encoder.write_header().ok()?;
    writer.write_image_data(&pixels).ok()?;
    writer.finish().ok()?;
    Some(out)
}

#[cfg(test)]
mod tests {
    use super::png;

    #[test]
    fn a_code_is_a_square_picture_with_a_white_margin_and_three_corners() {
        let picture = png("otpauth://totp/x?secret=AAAA").unwrap();
        let mut reader = png::Decoder::new(std::io::Cursor::new(picture)).read_info().unwrap();
        let mut pixels = vec![0; reader.output_buffer_size().unwrap()];
        let side = usize::try_from(reader.next_frame(&mut pixels).unwrap().width).unwrap();
        assert_eq!(pixels.len(), side * side);
        let at = |x: usize, y: usize| pixels[y * side + x];
        assert!((0..side).all(|x| at(x, 0) == 255 && at(x, 19) == 255 && at(x, side - 1) == 255));
        let (near, far) = (20, side - 21);
        assert_eq!([at(near, near), at(far, near), at(near, far)], [0, 0, 0]);
        assert!(png(&"x".repeat(5000)).is_none());
    }
}
