//! Where in the recipe each part of a stage's work was written.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::Place;

/// A way into a stage's work: `steps/1/image`. Names are the recipe's fields, numbers count from 0.
#[derive(Debug, Clone, Default, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Route(String);

impl Route {
    /// The stage itself.
    #[must_use]
    pub fn stage() -> Self {
        Self::default()
    }

    /// One part further.
    #[must_use]
    pub fn then(&self, part: impl fmt::Display) -> Self {
        if self.0.is_empty() { Self(part.to_string()) } else { Self(format!("{}/{part}", self.0)) }
    }

    fn parent(&self) -> Option<Self> {
        match self.0.rsplit_once('/') {
            Some((parent, _)) => Some(Self(parent.to_owned())),
            None if self.0.is_empty() => None,
            None => Some(Self::stage()),
        }
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// The places of a stage's parts, by their routes.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize, Deserialize)]
#[serde(transparent)]
pub struct Places(BTreeMap<Route, Place>);

impl Places {
    /// Remembers where a part was written.
    pub fn insert(&mut self, route: Route, place: Place) {
        self.0.insert(route, place);
    }

    /// Where a part was written, or else the nearest whole that it belongs to.
    #[must_use]
    pub fn find(&self, route: &Route) -> Option<&Place> {
        let mut route = Some(route.clone());
        while let Some(current) = route {
            if let Some(place) = self.0.get(&current) {
                return Some(place);
            }
            route = current.parent();
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::types::{Source, Span};

    #[test]
    fn a_part_without_a_place_has_that_of_its_whole() {
        let source = Source::new("r.yaml", "a\nb\nc\n");
        let mut places = Places::default();
        places.insert(Route::stage(), source.place(Span::new(0, 1)));
        let step = Route::stage().then("steps").then(1);
        places.insert(step.clone(), source.place(Span::new(2, 3)));
        let line = |route: &Route| places.find(route).map(|place| place.position.line);
        assert_eq!(line(&step.then("image")), Some(2));
        assert_eq!(line(&Route::stage().then("steps").then(0)), Some(1));
        assert_eq!(Places::default().find(&step), None);
    }
}
