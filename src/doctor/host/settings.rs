//! The settings that every command reads: where registries are, and the variables that name proxies.

use super::HostPlaces;
use crate::doctor::{Finding, Verdict};
use crate::transport::{ConfError, RegistriesConf};
use crate::types::chain;

pub(super) fn check(places: &HostPlaces) -> Vec<Finding> {
    let mut findings = registries(places);
    let doubtful = places.doubtful_proxies.iter().map(|sentence| {
        Finding::new(Verdict::Warning, "proxies", "the environment", sentence)
            .expected("`[http://]HOST[:PORT]`, also https, socks4, socks5")
            .remedy("set it to the proxy's URL, or unset it")
    });
    findings.extend(doubtful);
    findings
}

fn registries(places: &HostPlaces) -> Vec<Finding> {
    let finding = |verdict, found: &str| Finding::new(verdict, "registries-conf", "registries.conf", found);
    match RegistriesConf::load(&places.registries) {
        Ok(conf) if conf.warnings().is_empty() => vec![finding(Verdict::Good, "is valid, or does not exist")],
        Ok(conf) => conf
            .warnings()
            .iter()
            .map(|warning| {
                finding(Verdict::Warning, warning).remedy("see containers-registries.conf(5) for the format")
            })
            .collect(),
        Err(error) => {
            let remedy = match &error {
                ConfError::Read(_) => "write the file, and give this user the right to read it",
                ConfError::Invalid { .. } | ConfError::Blocked { .. } => {
                    "fix the line: until then no image can be pulled or pushed"
                }
            };
            vec![finding(Verdict::Error, &format!("cannot be used: {}", chain(&error))).remedy(remedy)]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transport::ConfigPlaces;

    #[test]
    fn registries_conf_is_used_or_why_it_is_not() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("registries.conf");
        let said = |text: Option<&str>| {
            let named = text.map(|text| {
                fs_err::write(&file, text).unwrap();
                file.clone()
            });
            let registries = ConfigPlaces { named, user: None, system: None };
            let doubtful_proxies = vec!["`http_proxy` is not the URL of a proxy and is ignored".to_owned()];
            let doubtful_proxies = if text.is_none() { doubtful_proxies } else { Vec::new() };
            let places = HostPlaces { registries, doubtful_proxies, ..HostPlaces::from_env(&file, &file) };
            check(&places).iter().map(Finding::text).collect::<String>()
        };
        let mut cases = vec![
            said(None),
            said(Some("[[registry]]\nlocation = \"r.example\"\n")),
            said(Some("[[registry]]\nlocation = \"r.example\"\ninsecur = true\n")),
            said(Some("[[registry]]\nlocation = \"r.example\"\ninsecure = 1\n")),
        ];
        fs_err::remove_file(&file).unwrap();
        let registries = ConfigPlaces { named: Some(file.clone()), user: None, system: None };
        let places = HostPlaces { registries, doubtful_proxies: Vec::new(), ..HostPlaces::from_env(&file, &file) };
        cases.extend(check(&places).iter().map(Finding::text));
        insta::assert_snapshot!(cases.concat().replace(folder.path().to_str().unwrap(), "[DIR]"), @"
        good: registries.conf: is valid, or does not exist
        warning: the environment: `http_proxy` is not the URL of a proxy and is ignored
          expected: `[http://]HOST[:PORT]`, also https, socks4, socks5
          remedy: set it to the proxy's URL, or unset it
        good: registries.conf: is valid, or does not exist
        warning: registries.conf: [DIR]/registries.conf:3:1: `insecur` of `[[registry]]` is unknown and is ignored; did you mean `insecure`?
          remedy: see containers-registries.conf(5) for the format
        error: registries.conf: cannot be used: [DIR]/registries.conf:3:12: invalid type: integer `1`, expected a boolean
          remedy: fix the line: until then no image can be pulled or pushed
        error: registries.conf: cannot be used: the settings of registries cannot be read: failed to open file `[DIR]/registries.conf`: No such file or directory (os error 2)
          remedy: write the file, and give this user the right to read it
        ");
    }
}
