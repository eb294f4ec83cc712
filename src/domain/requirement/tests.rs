//! Requirements as texts, as meanings and as errors.

use super::*;
use crate::domain::skill::{SkillLevels, TeamSet};
use proptest::prelude::*;

/// A small floor to look names up in: skills, teams and agents by their place in a list.
pub(super) struct Floor {
    skills: Vec<(&'static str, SkillKind)>,
    teams: Vec<&'static str>,
    agents: Vec<&'static str>,
}

pub(super) fn floor() -> Floor {
    Floor {
        skills: vec![
            ("spanish", SkillKind::Graded),
            ("billing", SkillKind::YesNo),
            ("a \"b\" \\c", SkillKind::Graded),
        ],
        teams: vec!["emea", "apac"],
        agents: vec!["ana", "bo"],
    }
}

fn place<T>(list: &[T], found: impl Fn(&T) -> bool) -> Option<u32> {
    list.iter()
        .position(found)
        .and_then(|index| u32::try_from(index).ok())
}

impl Names for Floor {
    fn skill(&self, name: &str) -> Option<(SkillId, SkillKind)> {
        let id = place(&self.skills, |(known, _)| *known == name)?;
        Some((SkillId(id), self.skills[id as usize].1))
    }

    fn team(&self, name: &str) -> Option<TeamId> {
        place(&self.teams, |known| *known == name).map(TeamId)
    }

    fn agent(&self, name: &str) -> Option<AgentId> {
        place(&self.agents, |known| *known == name).map(AgentId)
    }

    fn skill_names(&self) -> Vec<&str> {
        self.skills.iter().map(|(name, _)| *name).collect()
    }

    fn team_names(&self) -> Vec<&str> {
        self.teams.clone()
    }

    fn skill_name(&self, skill: SkillId) -> Option<&str> {
        self.skills.get(skill.index()).map(|(name, _)| *name)
    }

    fn team_name(&self, team: TeamId) -> Option<&str> {
        self.teams.get(team.index()).copied()
    }

    fn agent_name(&self, agent: AgentId) -> Option<&str> {
        self.agents.get(agent.index()).copied()
    }
}

pub(super) fn requirement(text: &str) -> Requirement {
    Requirement::parse(text, &floor()).unwrap()
}

/// Agent `ana` with these skills and teams.
pub(super) fn agent(skills: &[(&str, u64)], teams: &[&str]) -> Qualities {
    let floor = floor();
    let level = |level: u64| Level::try_from(level).unwrap();
    Qualities {
        skills: skills
            .iter()
            .map(|(name, at)| (floor.skill(name).unwrap().0, level(*at)))
            .collect(),
        teams: teams.iter().map(|name| floor.team(name).unwrap()).collect(),
        agent: AgentId(0),
    }
}

#[test]
fn the_example_of_the_manual() {
    let asked = requirement(r#"skill("spanish") >= 5 and (skill("billing") or team = "emea")"#);
    assert!(asked.meets(&agent(&[("spanish", 5), ("billing", 10)], &[])));
    assert!(asked.meets(&agent(&[("spanish", 7)], &["emea"])));
    assert!(!asked.meets(&agent(&[("spanish", 4)], &["emea"])));
    assert!(!asked.meets(&agent(&[("spanish", 9)], &["apac"])));
    assert!(!asked.meets(&agent(&[("billing", 10)], &["emea"])));
}

#[test]
fn not_binds_before_and_and_before_or() {
    for (text, same) in [
        (
            "anyone or anyone and not anyone",
            "anyone or (anyone and (not anyone))",
        ),
        (
            "not skill(\"spanish\") and skill(\"billing\")",
            "(not skill(\"spanish\")) and skill(\"billing\")",
        ),
        (
            "team = \"emea\" and agent = \"bo\" or agent = \"ana\"",
            "(team = \"emea\" and agent = \"bo\") or agent = \"ana\"",
        ),
        (
            "agent = \"ana\" or team = \"emea\" and agent = \"bo\"",
            "agent = \"ana\" or (team = \"emea\" and agent = \"bo\")",
        ),
        ("not not agent = \"bo\"", "not (not (agent = \"bo\"))"),
        (
            "skill('spanish')>=5 and\tteam\n=\n'emea'",
            "skill(\"spanish\") >= 5 and team = \"emea\"",
        ),
    ] {
        assert_eq!(Expression::parse(text), Expression::parse(same), "{text}");
    }
    let here = agent(&[], &["apac"]);
    assert!(requirement("agent = \"ana\" or team = \"emea\" and agent = \"bo\"").meets(&here));
    assert!(!requirement("(agent = \"ana\" or team = \"emea\") and agent = \"bo\"").meets(&here));
}

#[test]
fn every_comparison_at_every_level() {
    for (sign, holds) in [
        ("=", [false, false, true, false]),
        ("!=", [true, true, false, true]),
        ("<", [true, true, false, false]),
        ("<=", [true, true, true, false]),
        (">", [false, false, false, true]),
        (">=", [false, false, true, true]),
    ] {
        let asked = requirement(&format!("skill(\"spanish\") {sign} 5"));
        let held: [&[(&str, u64)]; 4] =
            [&[], &[("spanish", 4)], &[("spanish", 5)], &[("spanish", 6)]];
        assert_eq!(
            held.map(|skills| asked.meets(&agent(skills, &[]))),
            holds,
            "{sign}"
        );
    }
    let held = requirement("skill(\"spanish\")");
    assert!(held.meets(&agent(&[("spanish", 1)], &[])) && !held.meets(&agent(&[], &[])));
}

#[test]
fn the_same_meaning_is_the_same_value() {
    for (a, b) in [
        (
            "skill(\"billing\") and team = \"emea\"",
            "team = \"emea\" and skill(\"billing\")",
        ),
        (
            "skill(\"spanish\") >= 5 and skill(\"spanish\") >= 3",
            "skill(\"spanish\") >= 5",
        ),
        ("skill(\"spanish\") > 4", "skill(\"spanish\") >= 5"),
        ("not skill(\"spanish\") < 5", "skill(\"spanish\") >= 5"),
        (
            "not (team = \"emea\" or agent = \"bo\")",
            "team != \"emea\" and agent != \"bo\"",
        ),
        ("anyone and skill(\"billing\")", "skill(\"billing\")"),
        ("anyone or skill(\"billing\")", "anyone"),
        ("skill(\"billing\") or not skill(\"billing\")", "anyone"),
        (
            "skill(\"billing\") and not skill(\"billing\")",
            "not anyone",
        ),
        (
            "team = \"emea\" and (team = \"emea\" and team = \"emea\")",
            "team = \"emea\"",
        ),
    ] {
        assert_eq!(requirement(a), requirement(b), "{a}");
    }
    assert_ne!(
        requirement("team = \"emea\""),
        requirement("team = \"apac\"")
    );
    assert!(requirement("anyone").is_anyone() && !requirement("not anyone").is_anyone());
    assert!(!requirement("not anyone").meets(&agent(&[], &[])));
}

#[test]
fn needed_skills_add_to_an_expression() {
    let needed =
        |needed: &[(&'static str, u64)]| Requirement::needed(needed.iter().copied(), &floor());
    let both = Requirement::all_of(
        &requirement("team = \"emea\""),
        &needed(&[("spanish", 5), ("billing", 1)]).unwrap(),
    );
    assert_eq!(
        both,
        requirement("team = \"emea\" and skill(\"spanish\") >= 5 and skill(\"billing\")")
    );
    assert_eq!(needed(&[]).unwrap(), Requirement::anyone());
    for (bad, text) in [
        (
            ("spansih", 1),
            "there is no skill \"spansih\"; did you mean \"spanish\"?",
        ),
        (
            ("spanish", 0),
            "skill \"spanish\": a level is a whole number from 1 to 10, not 0",
        ),
        (
            ("billing", 5),
            "skill \"billing\" is held or not; the level to ask for is 1",
        ),
    ] {
        let error = needed(&[bad]).unwrap_err();
        assert_eq!(
            (error.skill.as_str(), error.to_string().as_str()),
            (bad.0, text)
        );
    }
}

#[test]
fn errors_say_where_and_what_would_be_right() {
    let operands = "skill(\"…\"), team = \"…\", agent = \"…\", anyone, not or \"(\"";
    for (text, at, error) in [
        ("", 0, "line 1, column 1: the expression is empty; \"anyone\" asks nothing".to_owned()),
        (" \n ", 3, "line 2, column 2: the expression is empty; \"anyone\" asks nothing".into()),
        ("skill(\"spansih\") >= 5", 6, "line 1, column 7: there is no skill \"spansih\"; did you mean \"spanish\"?".into()),
        ("anyone and\n  team = \"emae\"", 20, "line 2, column 10: there is no team \"emae\"; did you mean \"emea\"?".into()),
        ("agent = \"anna\"", 8, "line 1, column 9: there is no agent \"anna\"".into()),
        ("skill(\"spanish\") >= 11", 20, "line 1, column 21: a level is a whole number from 1 to 10, not 11".into()),
        ("skill(\"spanish\") >= 99999999999999999999", 20, "line 1, column 21: a level is a whole number from 1 to 10, not 18446744073709551615".into()),
        ("skill(\"spanish\") > 10", 19, "line 1, column 20: no level is greater than 10".into()),
        ("skill(\"billing\") >= 5", 20, "line 1, column 21: skill \"billing\" is held or not and has no levels; write skill(\"billing\")".into()),
        ("skill(\"spanish\") >=", 19, "line 1, column 20: expected a level from 1 to 10, found the end".into()),
        ("skill(spanish)", 6, "line 1, column 7: expected the skill's name in quotes, found \"spanish\" (names stand in quotes)".into()),
        ("skill \"spanish\"", 6, "line 1, column 7: expected \"(\" and the skill's name in quotes, found the name \"spanish\"".into()),
        ("skill(\"spanish\" and", 16, "line 1, column 17: expected \")\" after the skill's name, found \"and\"".into()),
        ("skil(\"spanish\")", 0, "line 1, column 1: unknown word \"skil\"; did you mean \"skill\"?".into()),
        ("team == \"emea\"", 5, "line 1, column 6: \"==\" is written \"=\" here".into()),
        ("team > \"emea\"", 5, "line 1, column 6: expected \"=\" or \"!=\" after team, found \">\"".into()),
        ("team = 5", 7, "line 1, column 8: expected the team's name in quotes, found the number 5".into()),
        ("anyone && anyone", 7, "line 1, column 8: \"&&\" is written \"and\" here".into()),
        ("anyone || anyone", 7, "line 1, column 8: \"||\" is written \"or\" here".into()),
        ("!anyone", 0, "line 1, column 1: \"!\" is written \"not\" here".into()),
        ("anyone anyone", 7, "line 1, column 8: expected \"and\", \"or\" or the end, found \"anyone\"".into()),
        ("anyone and", 10, format!("line 1, column 11: expected {operands}, found the end")),
        ("or anyone", 0, format!("line 1, column 1: expected {operands}, found \"or\"")),
        ("()", 1, format!("line 1, column 2: expected {operands}, found \")\"")),
        ("(anyone", 7, "line 1, column 8: expected \"and\", \"or\" or \")\", found the end".into()),
        ("anyone)", 6, "line 1, column 7: this \")\" closes nothing".into()),
        ("team = \"emea", 7, "line 1, column 8: this name has no closing quote".into()),
        ("team = \"a\\n\"", 7, "line 1, column 8: this name has an escape that is not \\\" \\' or \\\\, or a control character".into()),
        ("anyone § anyone", 7, "line 1, column 8: \"§\" means nothing here".into()),
        ("team = \"müé\" and § ", 19, "line 1, column 18: \"§\" means nothing here".into()),
    ] {
        let found = Requirement::parse(text, &floor()).unwrap_err();
        assert_eq!((found.to_string(), found.at), (error, at), "{text}");
    }
}

#[test]
fn limits_hold_exactly() {
    let nested = |depth: usize| format!("{}anyone{}", "(".repeat(depth), ")".repeat(depth));
    assert!(Expression::parse(&nested(32)).is_ok());
    let error = Expression::parse(&nested(33)).unwrap_err();
    assert_eq!(
        error.to_string(),
        "line 1, column 33: parentheses and \"not\" nest at most 32 deep"
    );
    assert!(Expression::parse(&format!("{}anyone", "not ".repeat(33))).is_err());
    assert!(Expression::parse(&format!("({}anyone)", "not ".repeat(31))).is_ok());
    let side_by_side = vec![nested(32); 3].join(" and ");
    assert!(
        Expression::parse(&side_by_side).is_ok(),
        "depth is not the number of parentheses"
    );

    let parts = |count: usize| vec!["anyone"; count].join(" or ");
    assert!(
        Expression::parse(&parts(255)).is_ok(),
        "255 parts and the list"
    );
    let error = Expression::parse(&parts(256)).unwrap_err();
    assert_eq!(error.problem, "an expression has at most 256 parts");

    let long = |bytes: usize| format!("anyone{}", " ".repeat(bytes - 6));
    assert!(Expression::parse(&long(4_096)).is_ok());
    let error = Expression::parse(&long(4_097)).unwrap_err();
    assert_eq!(
        (error.at, error.problem.as_str()),
        (
            4_096,
            "an expression has at most 4096 bytes, this one has 4097"
        )
    );
    assert!(Expression::parse(&"(".repeat(5_000_000)).is_err());
}

#[test]
fn a_requirement_is_kept_and_brought_into_form_again() {
    let asked = requirement("skill(\"spanish\") >= 5 and (skill(\"billing\") or team != \"emea\")");
    let text = serde_json::to_string(&asked).unwrap();
    assert_eq!(serde_json::from_str::<Requirement>(&text).unwrap(), asked);
    let bytes = rmp_serde::to_vec_named(&asked).unwrap();
    assert_eq!(rmp_serde::from_slice::<Requirement>(&bytes).unwrap(), asked);
    let loose = r#"{"all":[{"team":[1,true]},{"all":[{"team":[0,true]}]},{"skill":[0,65535]}]}"#;
    let kept: Requirement = serde_json::from_str(loose).unwrap();
    assert_eq!(kept, requirement("team = \"emea\" and team = \"apac\""));
}

fn name(names: &'static [&'static str]) -> impl Strategy<Value = Name> {
    proptest::sample::select(names).prop_map(|text| Name {
        text: text.to_owned(),
        at: 0,
    })
}

fn comparison() -> impl Strategy<Value = Comparison> {
    use Comparison::{AtLeast, AtMost, Equal, Greater, Less, NotEqual};
    proptest::sample::select(vec![Equal, NotEqual, Less, AtMost, Greater, AtLeast])
}

fn expression() -> impl Strategy<Value = Expression> {
    let level = (1..=9u64).prop_map(|value| Number { value, at: 0 });
    let leaf = prop_oneof![
        Just(Expression::Anyone),
        name(&["spanish", "billing", "a \"b\" \\c"])
            .prop_map(|skill| Expression::Skill { skill, test: None }),
        (name(&["spanish", "a \"b\" \\c"]), comparison(), level).prop_map(
            |(skill, sign, level)| Expression::Skill {
                skill,
                test: Some((sign, level))
            }
        ),
        (name(&["emea", "apac"]), any::<bool>())
            .prop_map(|(team, is)| Expression::Team { team, is }),
        (name(&["ana", "bo"]), any::<bool>())
            .prop_map(|(agent, is)| Expression::Agent { agent, is }),
    ];
    leaf.prop_recursive(5, 40, 4, |inner| {
        prop_oneof![
            proptest::collection::vec(inner.clone(), 2..5).prop_map(Expression::All),
            proptest::collection::vec(inner.clone(), 2..5).prop_map(Expression::Any),
            inner.prop_map(|part| Expression::Not(Box::new(part))),
        ]
    })
}

fn qualities() -> impl Strategy<Value = Qualities> {
    let levels = proptest::collection::vec(0..=10u8, 3);
    (levels, proptest::bits::u8::between(0, 2), 0..2u32).prop_map(|(levels, teams, agent)| {
        Qualities {
            skills: SkillLevels::try_from(levels).unwrap(),
            teams: (0..2)
                .filter(|team| teams >> team & 1 == 1)
                .map(TeamId)
                .collect::<TeamSet>(),
            agent: AgentId(agent),
        }
    })
}

/// What an expression means, read off its words.
fn means(expression: &Expression, agent: &Qualities) -> bool {
    let floor = floor();
    match expression {
        Expression::Anyone => true,
        Expression::All(parts) => parts.iter().all(|part| means(part, agent)),
        Expression::Any(parts) => parts.iter().any(|part| means(part, agent)),
        Expression::Not(part) => !means(part, agent),
        Expression::Skill { skill, test } => {
            let level = agent.skills.points(floor.skill(&skill.text).unwrap().0);
            match test {
                None => level > 0,
                Some((sign, with)) => sign.holds(u64::from(level), with.value),
            }
        }
        Expression::Team { team, is } => {
            agent.teams.contains(floor.team(&team.text).unwrap()) == *is
        }
        Expression::Agent { agent: named, is } => {
            (floor.agent(&named.text) == Some(agent.agent)) == *is
        }
    }
}

proptest! {
    #[test]
    fn the_text_of_an_expression_is_that_expression(expression in expression()) {
        let text = expression.to_string();
        prop_assert_eq!(Expression::parse(&text), Ok(expression), "{}", text);
    }

    #[test]
    fn the_compact_form_means_what_was_written(expression in expression(), agent in qualities()) {
        let compact = Requirement::compile(&expression, &floor()).unwrap();
        prop_assert_eq!(compact.meets(&agent), means(&expression, &agent), "{}", expression);
    }

    #[test]
    fn the_text_of_a_requirement_is_that_requirement(expression in expression()) {
        let compact = Requirement::compile(&expression, &floor()).unwrap();
        let text = compact.text(&floor());
        prop_assert_eq!(Requirement::parse(&text, &floor()), Ok(compact.clone()), "{}", text);
        let kept = serde_json::to_string(&compact).unwrap();
        prop_assert_eq!(serde_json::from_str::<Requirement>(&kept).unwrap(), compact);
    }

    #[test]
    fn both_and_either_of_two(a in expression(), b in expression(), agent in qualities()) {
        let [a, b] = [a, b].map(|one| Requirement::compile(&one, &floor()).unwrap());
        let (meets_a, meets_b) = (a.meets(&agent), b.meets(&agent));
        prop_assert_eq!(Requirement::all_of(&a, &b).meets(&agent), meets_a && meets_b);
        prop_assert_eq!(Requirement::any_of(&a, &b).meets(&agent), meets_a || meets_b);
        prop_assert_eq!(Requirement::all_of(&a, &b), Requirement::all_of(&b, &a));
        prop_assert_eq!(Requirement::any_of(&a, &b), Requirement::any_of(&b, &a));
    }

    #[test]
    fn no_text_is_a_panic(text in "\\PC{0,80}|[a-z()\"'=!<>&| 0-9\\\\\n]{0,80}") {
        if let Err(error) = Requirement::parse(&text, &floor()) {
            prop_assert!(error.at <= text.len() && error.line >= 1 && error.column >= 1);
        }
    }
}
