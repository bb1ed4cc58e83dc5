//! `mutant!(Name)`: where the simulation can switch a deliberate fault on. In the shipped program it is `false`.

#[cfg(any(test, feature = "simulation"))]
macro_rules! mutant {
    ($name:ident) => {
        $crate::simulation::mutants::is_on($crate::simulation::mutants::Mutant::$name)
    };
}

#[cfg(not(any(test, feature = "simulation")))]
macro_rules! mutant {
    ($name:ident) => {
        false
    };
}
