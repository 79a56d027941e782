//! A position in one cell.

/// Reads latitude and longitude, in degrees: out of `{'lon': 2.33, 'lat': 48.88}`, in Python's quotes or JSON's, also with
/// `latitude`, `longitude` and `lng`; out of a GeoJSON point, `{"type": "Point", "coordinates": [2.33, 48.88]}`; or
/// out of `48.88, 2.33`, the latitude first.
pub(super) fn read(text: &str) -> Option<(f64, f64)> {
    let text = text.trim();
    let (latitude, longitude) = if text.starts_with('{') { of_object(text)? } else { of_pair(text)? };
    let is_on_earth = latitude.abs() <= 90.0 && longitude.abs() <= 180.0;
    is_on_earth.then_some((latitude, longitude))
}

fn of_pair(text: &str) -> Option<(f64, f64)> {
    let (latitude, longitude) = text.split_once([',', ' ', ';'])?;
    Some((latitude.trim().parse().ok()?, longitude.trim().parse().ok()?))
}

fn of_object(text: &str) -> Option<(f64, f64)> {
    // A dict of Python with nothing but words and numbers is JSON but for its quotes.
    let object: serde_json::Value =
        serde_json::from_str(text).or_else(|_| serde_json::from_str(&text.replace('\'', "\""))).ok()?;
    let named = |names: &[&str]| names.iter().find_map(|name| object.get(name)?.as_f64());
    match (named(&["lat", "latitude"]), named(&["lon", "lng", "longitude"])) {
        (Some(latitude), Some(longitude)) => Some((latitude, longitude)),
        (None, None) => {
            let coordinates = object.get("coordinates")?.as_array()?;
            let [longitude, latitude] = coordinates.as_slice() else { return None };
            Some((latitude.as_f64()?, longitude.as_f64()?))
        }
        _ => None,
    }
}

#[cfg(test)]
mod tests {
    #[test]
    fn positions_are_read_as_exports_write_them() {
        for (text, expected) in [
            (
                "{'lon': 2.334404229526263, 'lat': 48.88124847353733}",
                Some((48.881_248_473_537_33, 2.334_404_229_526_263)),
            ),
            (r#" {"lat": -21.1, "lng": 55.5} "#, Some((-21.1, 55.5))),
            (r#"{"type": "Point", "coordinates": [2.5, 48.5]}"#, Some((48.5, 2.5))),
            ("48.5, 2.5", Some((48.5, 2.5))),
            ("48.5 2.5", Some((48.5, 2.5))),
            ("{'lon': 2.5}", None),
            ("{'lon': 200, 'lat': 48}", None),
            ("{'lon': '2.5', 'lat': '48'}", None),
            ("{'lon': 2.5, 'lat': 48", None),
            (r#"{"coordinates": [2.5]}"#, None),
            ("91, 2", None),
            ("NaN, 2", None),
            ("Paris", None),
            ("", None),
        ] {
            assert_eq!(super::read(text), expected, "{text}");
        }
    }
}
