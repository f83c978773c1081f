//! The activation functions of gates.

use crate::lower::Lowering;
use crate::lower::context::Context;
use crate::lower::formula::Formula;
use crate::program::{NodeId, Op};

/// An activation function with its parameters.
#[derive(Clone, Copy)]
enum Activation {
    Relu,
    Tanh,
    Sigmoid,
    Softsign,
    Softplus,
    Affine { alpha: f32, beta: f32 },
    LeakyRelu { alpha: f32 },
    ThresholdedRelu { alpha: f32 },
    ScaledTanh { alpha: f32, beta: f32 },
    HardSigmoid { alpha: f32, beta: f32 },
    Elu { alpha: f32 },
}

/// The functions f, g, h of one direction.
pub(super) struct Gates {
    functions: Vec<Activation>,
    /// Bound of their arguments' magnitude.
    clip: Option<f32>,
}

impl Gates {
    /// The functions of each direction, `default` where the node names none.
    pub(super) fn read(c: &mut Context<'_, '_>, default: &[&str], directions: usize) -> Lowering<Vec<Self>> {
        let clip = c.attributes.float("clip")?;
        let names = c.attributes.strings("activations")?;
        let names = names.unwrap_or_else(|| default.repeat(directions).into_iter().map(String::from).collect());
        if names.len() != default.len() * directions {
            return Err(format!("activations {names:?}: {} are needed", default.len() * directions));
        }
        let mut alpha = c.attributes.floats("activation_alpha")?.unwrap_or_default().into_iter();
        let mut beta = c.attributes.floats("activation_beta")?.unwrap_or_default().into_iter();
        let functions = names.iter().map(|name| Activation::read(name, &mut alpha, &mut beta));
        let functions = functions.collect::<Lowering<Vec<_>>>()?;
        Ok(functions.chunks(default.len()).map(|f| Self { functions: f.to_vec(), clip }).collect())
    }

    /// Function `index` of a clipped argument.
    pub(super) fn apply(&self, f: &mut Formula, index: usize, x: NodeId) -> Lowering<NodeId> {
        let function = self.functions.get(index).ok_or("a gate without a function")?;
        let x = match self.clip {
            None => x,
            Some(limit) => {
                let (least, greatest) = (f.float(-limit)?, f.float(limit)?);
                let raised = f.op(Op::Max, &[x, least])?;
                f.op(Op::Min, &[raised, greatest])?
            }
        };
        function.apply(f, x)
    }
}

impl Activation {
    /// By its name; the parameters are taken in order by those functions that have them.
    fn read(name: &str, alpha: &mut impl Iterator<Item = f32>, beta: &mut impl Iterator<Item = f32>) -> Lowering<Self> {
        let mut alpha = |default: f32| alpha.next().unwrap_or(default);
        let mut beta = |default: f32| beta.next().unwrap_or(default);
        Ok(match name {
            "Relu" => Self::Relu,
            "Tanh" => Self::Tanh,
            "Sigmoid" => Self::Sigmoid,
            "Softsign" => Self::Softsign,
            "Softplus" => Self::Softplus,
            "Affine" => Self::Affine { alpha: alpha(1.0), beta: beta(0.0) },
            "LeakyRelu" => Self::LeakyRelu { alpha: alpha(0.01) },
            "ThresholdedRelu" => Self::ThresholdedRelu { alpha: alpha(1.0) },
            "ScaledTanh" => Self::ScaledTanh { alpha: alpha(1.0), beta: beta(1.0) },
            "HardSigmoid" => Self::HardSigmoid { alpha: alpha(0.2), beta: beta(0.5) },
            "Elu" => Self::Elu { alpha: alpha(1.0) },
            other => return Err(format!("activation `{other}` does not exist")),
        })
    }

    fn apply(self, f: &mut Formula, x: NodeId) -> Lowering<NodeId> {
        match self {
            Self::Tanh => f.op(Op::Tanh, &[x]),
            Self::Sigmoid => f.op(Op::Sigmoid, &[x]),
            Self::Softplus => f.op(Op::Softplus, &[x]),
            Self::Relu => {
                let zero = f.float(0.0)?;
                f.op(Op::Max, &[x, zero])
            }
            Self::Softsign => {
                let (size, one) = (f.op(Op::Abs, &[x])?, f.float(1.0)?);
                let below = f.op(Op::Add, &[one, size])?;
                f.op(Op::Div, &[x, below])
            }
            Self::Affine { alpha, beta } => line(f, x, alpha, beta),
            Self::LeakyRelu { alpha } => {
                let alpha = f.float(alpha)?;
                let below = f.op(Op::Mul, &[alpha, x])?;
                from(f, x, 0.0, below)
            }
            Self::ThresholdedRelu { alpha } => {
                let zero = f.float(0.0)?;
                from(f, x, alpha, zero)
            }
            Self::ScaledTanh { alpha, beta } => {
                let (alpha, beta) = (f.float(alpha)?, f.float(beta)?);
                let scaled = f.op(Op::Mul, &[beta, x])?;
                let bent = f.op(Op::Tanh, &[scaled])?;
                f.op(Op::Mul, &[alpha, bent])
            }
            Self::HardSigmoid { alpha, beta } => {
                let line = line(f, x, alpha, beta)?;
                let (zero, one) = (f.float(0.0)?, f.float(1.0)?);
                let raised = f.op(Op::Max, &[line, zero])?;
                f.op(Op::Min, &[raised, one])
            }
            Self::Elu { alpha } => {
                let (alpha, power) = (f.float(alpha)?, f.op(Op::Expm1, &[x])?);
                let below = f.op(Op::Mul, &[alpha, power])?;
                from(f, x, 0.0, below)
            }
        }
    }
}

/// alpha * x + beta.
fn line(f: &mut Formula, x: NodeId, alpha: f32, beta: f32) -> Lowering<NodeId> {
    let (alpha, beta) = (f.float(alpha)?, f.float(beta)?);
    let scaled = f.op(Op::Mul, &[alpha, x])?;
    f.op(Op::Add, &[scaled, beta])
}

/// x where it is below `limit` no longer, or is NaN; `below` before.
fn from(f: &mut Formula, x: NodeId, limit: f32, below: NodeId) -> Lowering<NodeId> {
    let limit = f.float(limit)?;
    let is_below = f.op(Op::Lt, &[x, limit])?;
    f.select(is_below, below, x)
}
